/** The results as files. */

import { args } from "../args";
import { isDark } from "../theme";
import "./downloads.css";

interface File {
  href: string;
  title: string;
  holds: string;
  /** To look at in the browser; `href` saves it. */
  open?: string;
}

function files(): File[] {
  const theme = `theme=${isDark.value ? "dark" : "light"}`;
  return [
    {
      href: `stats/report?download=1&${theme}`,
      open: `stats/report?${theme}`,
      title: "HTML report",
      holds: "The whole test in one file: charts, statistics, failures, exceptions. It needs no network.",
    },
    {
      href: "stats/requests/csv",
      title: "Requests CSV",
      holds: "For each name and for all: counts, response times with percentiles, sizes, rates.",
    },
    {
      href: "stats/failures/csv",
      title: "Failures CSV",
      holds: "For each kind of failure: method, name, message, how often.",
    },
    {
      href: "exceptions/csv",
      title: "Exceptions CSV",
      holds: "For each exception that tasks raised: message, traceback, how often, where.",
    },
    ...(args.stats_history_enabled
      ? [
          {
            href: "stats/requests_full_history/csv",
            title: "Full history CSV",
            holds: "For each second and each name: users, rates, response times with percentiles.",
          },
        ]
      : []),
    {
      href: "stats/requests/json",
      title: "Statistics JSON",
      holds: "For each name: counts, failures and the histogram of response times, as --json-file writes it.",
    },
    ...(args.extended_csv_files ?? []).map((file) => ({
      ...file,
      holds: "A file of this locustfile's own.",
    })),
  ];
}

export function DownloadsTab() {
  return (
    <ul class="downloads">
      {files().map(({ href, open, title, holds }) => (
        <li key={href}>
          <div>
            <h2>
              <bdi>{title}</bdi>
            </h2>
            <p>{holds}</p>
          </div>
          <div class="buttons">
            {open && (
              <a class="button" href={open} target="_blank" rel="noopener" aria-label={`Open ${title}`}>
                Open
              </a>
            )}
            <a class="button" href={href} aria-label={`Download ${title}`}>
              Download
            </a>
          </div>
        </li>
      ))}
    </ul>
  );
}
