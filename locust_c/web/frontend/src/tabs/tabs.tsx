/** The tabs: which there are, and the one that is shown. Its key is in the address, as `tab`. */

import type { ComponentType } from "preact";
import { args } from "../args";
import { param, setParam } from "../url";
import { ChartsTab } from "./charts";
import { DownloadsTab } from "./downloads";
import { ExceptionsTab } from "./exceptions";
import { ExtendedTab } from "./extended";
import { FailuresTab } from "./failures";
import { LogsTab } from "./logs";
import { RatiosTab } from "./ratios";
import { StatisticsTab } from "./statistics";
import { WorkersTab } from "./workers";

interface Tab {
  key: string;
  title: string;
  content: ComponentType<{ tabKey: string }>;
}

/** Keys and order are Locust's. */
const TABS: Tab[] = [
  { key: "stats", title: "Statistics", content: StatisticsTab },
  { key: "charts", title: "Charts", content: ChartsTab },
  { key: "failures", title: "Failures", content: FailuresTab },
  { key: "exceptions", title: "Exceptions", content: ExceptionsTab },
  { key: "ratios", title: "Current Ratio", content: RatiosTab },
  { key: "reports", title: "Download Data", content: DownloadsTab },
  { key: "logViewer", title: "Logs", content: LogsTab },
  ...(args.is_distributed ? [{ key: "workers", title: "Workers", content: WorkersTab }] : []),
  ...(args.extended_tabs ?? []).map((tab) => ({ ...tab, content: ExtendedTab })),
];

const tab = param("tab", "stats");

export function Tabs() {
  const shown = TABS.find(({ key }) => key === tab.value) ?? (TABS[0] as Tab);
  return (
    <>
      <div class="tabs" role="tablist" aria-label="Results">
        {TABS.map(({ key, title }) => (
          <button
            type="button"
            role="tab"
            id={`tab-${key}`}
            aria-controls="panel"
            aria-selected={key === shown.key}
            onClick={() => setParam("tab", key, true)}
          >
            {title}
          </button>
        ))}
      </div>
      <section id="panel" role="tabpanel" aria-labelledby={`tab-${shown.key}`}>
        <shown.content key={shown.key} tabKey={shown.key} />
      </section>
    </>
  );
}
