/** The last lines of the log, of this process or of a worker. */

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { args } from "../args";
import { count } from "../format";
import { usePolled } from "../polled";
import { copyText } from "../table/copy";
import { cut, inLines } from "../table/text";
import { param, setParam } from "../url";
import { chosen, continued, type Least, type LogLine, severity } from "./log-lines";
import "./logs.css";

interface Logs {
  master: string[];
  workers: Record<string, string[]>;
}

/** Longer messages are cut until somebody asks for them. */
const LONGEST = 2000;

/** So near to the end counts as at the end, in pixels. */
const NEAR = 24;

const source = param("log");
const least = param("log.level", "all");
const query = param("log.q");

export function LogsTab() {
  // Workers send theirs from time to time, which is not counted.
  const data = usePolled<Logs>("logs", (answer) => (args.is_distributed ? answer : answer.counts.log_lines));
  const worker = data && source.value in data.workers ? source.value : "";
  const texts = data ? (worker ? data.workers[worker] : data.master) : null;
  if (!data || !texts) return <p class="empty" aria-busy="true" />;
  return <Log key={worker} texts={texts} worker={worker} workers={Object.keys(data.workers).sort()} />;
}

function Log({ texts, worker, workers }: { texts: string[]; worker: string; workers: string[] }) {
  const before = useRef<LogLine[]>([]);
  const lines = useMemo(() => {
    before.current = continued(before.current, texts);
    return before.current;
  }, [texts]);
  const shown = chosen(lines, least.value as Least, query.value);
  return (
    <div class="log">
      <div class="log-tools">
        <Source worker={worker} workers={workers} />
        <Choices />
        <span class="muted" role="status">
          {shown.length < lines.length
            ? `${count(shown.length)} of ${count(lines.length)} lines`
            : `${count(lines.length)} lines`}
        </span>
        <CopyButton lines={shown} />
      </div>
      <Lines lines={shown} empty={lines.length === 0 ? "Nothing has been logged." : "No line matches."} />
    </div>
  );
}

function Source({ worker, workers }: { worker: string; workers: string[] }) {
  if (!args.is_distributed && workers.length === 0) return null;
  return (
    <select
      aria-label="Log of"
      value={worker}
      onChange={(event) => setParam("log", event.currentTarget.value)}
    >
      <option value="">Master</option>
      {workers.map((id) => (
        <option key={id} value={id}>
          Worker {id}
        </option>
      ))}
    </select>
  );
}

function Choices() {
  return (
    <>
      <input
        type="search"
        class="log-search"
        aria-label="Search the log"
        placeholder="Search"
        value={query.value}
        onInput={(event) => setParam("log.q", event.currentTarget.value)}
      />
      <select
        aria-label="Lines of which level"
        value={least.value}
        onChange={(event) => setParam("log.level", event.currentTarget.value)}
      >
        <option value="all">All levels</option>
        <option value="warning">Warnings and errors</option>
        <option value="error">Errors</option>
      </select>
    </>
  );
}

function CopyButton({ lines }: { lines: LogLine[] }) {
  const [said, setSaid] = useState("");
  async function copy(): Promise<void> {
    const done = await copyText(lines.map(({ whole }) => `${whole}\n`).join(""));
    setSaid(done ? "Copied" : "Not copied: the browser does not allow it");
    setTimeout(() => setSaid(""), 2500);
  }
  return (
    <span class="log-copy">
      <span class="muted" role="status">
        {said}
      </span>
      <button type="button" disabled={lines.length === 0} onClick={copy}>
        Copy
      </button>
    </span>
  );
}

/** Follows the end, unless the reader has scrolled up. */
function Lines({ lines, empty }: { lines: LogLine[]; empty: string }) {
  const box = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  useLayoutEffect(() => {
    if (follows) box.current?.scrollTo(0, box.current.scrollHeight);
  }, [lines, follows]);
  return (
    <div class="log-frame">
      <section
        ref={box}
        class="log-box"
        aria-label="Log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled with the keyboard
        tabIndex={0}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
          setFollows(scrollHeight - scrollTop - clientHeight < NEAR)
        }
      >
        {lines.length === 0 && <p class="empty">{empty}</p>}
        {lines.map((line) => (
          <Line key={line.id} line={line} />
        ))}
      </section>
      {!follows && (
        <button type="button" class="log-end" onClick={() => setFollows(true)}>
          To the end
        </button>
      )}
    </div>
  );
}

function Line({ line }: { line: LogLine }) {
  const [whole, setWhole] = useState(false);
  const { time, level, logger, message } = line;
  const kind = severity(line);
  // Colours say it as well, for those who see them.
  const label = kind === "info" && level === "INFO" ? "" : level;
  return (
    <div class="log-line" data-severity={kind}>
      {time && <time>{time.replace(",", ".")} </time>}
      {label && <strong class="log-level">{label} </strong>}
      {logger && <span class="log-logger">{logger} </span>}
      <span class="log-message" dir="auto">
        {inLines(whole ? message : cut(message, LONGEST))}
      </span>
      {!whole && message.length > LONGEST && (
        <button type="button" class="log-more" onClick={() => setWhole(true)}>
          Show all {count(message.length)} characters
        </button>
      )}
    </div>
  );
}
