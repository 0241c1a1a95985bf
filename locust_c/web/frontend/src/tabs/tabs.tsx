/** The tabs: which there are, and the one that is shown. Its key is in the address, as `tab`. */

import type { ComponentType, TargetedKeyboardEvent } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { args } from "../args";
import { param, setParam } from "../url";
import { ChartsTab } from "./charts";
import { dotOf } from "./dots";
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

/** Where the arrow keys lead from tab `place`; undefined for any other key. */
function target(pressed: string, place: number): number | undefined {
  const last = TABS.length - 1;
  return {
    ArrowLeft: place === 0 ? last : place - 1,
    ArrowRight: place === last ? 0 : place + 1,
    Home: 0,
    End: last,
  }[pressed];
}

export function Tabs() {
  const strip = useRef<HTMLDivElement>(null);
  const place = Math.max(
    0,
    TABS.findIndex(({ key }) => key === tab.value),
  );
  const shown = TABS[place] as Tab;
  useLayoutEffect(() => {
    const [box, button] = [strip.current, strip.current?.children[place]];
    if (!box || !(button instanceof HTMLElement)) return;
    // Not scrollIntoView: it would scroll the page as well.
    box.scrollLeft = button.offsetLeft - (box.clientWidth - button.offsetWidth) / 2;
  }, [place]);

  function onKeyDown(event: TargetedKeyboardEvent<HTMLDivElement>) {
    const next = target(event.key, place);
    if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    setParam("tab", (TABS[next] as Tab).key);
    (event.currentTarget.children[next] as HTMLElement).focus();
  }

  return (
    <>
      <div class="tabs" role="tablist" aria-label="Results" ref={strip} onKeyDown={onKeyDown}>
        {TABS.map(({ key, title }) => (
          <button
            key={key}
            type="button"
            role="tab"
            id={`tab-${key}`}
            aria-controls="panel"
            aria-selected={key === shown.key}
            tabIndex={key === shown.key ? 0 : -1}
            onClick={() => setParam("tab", key, true)}
          >
            {title}
            <Dot tabKey={key} />
          </button>
        ))}
      </div>
      <section id="panel" role="tabpanel" aria-labelledby={`tab-${shown.key}`}>
        <shown.content key={shown.key} tabKey={shown.key} />
      </section>
    </>
  );
}

function Dot({ tabKey }: { tabKey: string }) {
  const dot = useMemo(() => dotOf(tabKey), [tabKey]);
  return dot.value ? (
    <span class="dot">
      <span class="unseen">, new</span>
    </span>
  ) : null;
}
