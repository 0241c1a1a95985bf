import { args } from "../args";

export function DownloadsTab() {
  const files = [
    { href: "stats/requests/csv", title: "Requests CSV" },
    ...(args.stats_history_enabled
      ? [{ href: "stats/requests_full_history/csv", title: "Full request statistics history CSV" }]
      : []),
    { href: "stats/failures/csv", title: "Failures CSV" },
    { href: "exceptions/csv", title: "Exceptions CSV" },
    { href: "stats/report?download=1", title: "HTML report" },
    ...(args.extended_csv_files ?? []),
  ];
  return (
    <ul class="card">
      {files.map(({ href, title }) => (
        <li key={href}>
          <a href={href}>{title}</a>
        </li>
      ))}
    </ul>
  );
}
