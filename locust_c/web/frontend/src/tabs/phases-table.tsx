/** How long each phase of the requests took, for all names, and where their time went. */

import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { count, milliseconds } from "../format";
import { usePolled } from "../polled";
import { type Column, Table } from "../table/table";
import { param, setParam } from "../url";
import { keyOfEntry, nameColumns, withoutTotal } from "./entry";
import {
  LAG_MEANING,
  PHASES,
  type PhasesEntry,
  type PhaseTimes,
  parts,
  QUANTILES,
  type Quantile,
} from "./phases";
import "./phases.css";

interface Answer {
  phases: string[];
  stats: PhasesEntry[];
}

const at = param("phases.at", "median");
const titleOf = (phase: string) => PHASES[phase]?.title ?? phase;

export function PhasesTable({ children }: { children: ComponentChildren }) {
  const data = usePolled<Answer>("stats/phases");
  const quantile = QUANTILES.find(({ key }) => key === at.value)?.key ?? "median";
  const names = data?.phases ?? [];
  const columns = useMemo(() => columnsOf(names, quantile), [names.join(), quantile]);
  return (
    <Table
      name="phases"
      label="phases of the requests"
      unit="name"
      columns={columns}
      {...withoutTotal(data?.stats)}
      keyOf={keyOfEntry}
      order="name"
      queryName="stats.q"
      empty="No request has been made yet."
      note={<Legend phases={names} />}
    >
      {children}
      <fieldset class="choice">
        <legend class="unseen">Which times are shown</legend>
        {QUANTILES.map(({ key, title }) => (
          <button
            key={key}
            type="button"
            class="tool"
            aria-pressed={key === quantile}
            onClick={() => setParam("phases.at", key)}
          >
            {title}
          </button>
        ))}
      </fieldset>
    </Table>
  );
}

function columnsOf(phases: string[], quantile: Quantile): Column<PhasesEntry>[] {
  const time = (
    key: string,
    title: string,
    hint: string | undefined,
    of: (row: PhasesEntry) => PhaseTimes | null | undefined,
  ): Column<PhasesEntry> => ({
    key,
    title: `${title} (ms)`,
    kind: "number",
    ...(hint ? { hint } : {}),
    value: (row) => of(row)?.[quantile],
    show: (row) => <Time times={of(row)} quantile={quantile} />,
  });
  return [
    ...nameColumns<PhasesEntry>(),
    {
      key: "bar",
      title: "Where the time goes",
      width: 13,
      searched: false,
      hint: "Each phase as often as there were requests that had it",
      value: (row) => words(row, phases, quantile),
      show: (row) => <Bar row={row} phases={phases} quantile={quantile} />,
    },
    ...phases.map((phase) => time(phase, titleOf(phase), PHASES[phase]?.meaning, (row) => row.phases[phase])),
    time("generator_lag", "Generator lag", LAG_MEANING, (row) => row.generator_lag),
  ];
}

function Time({ times, quantile }: { times: PhaseTimes | null | undefined; quantile: Quantile }) {
  return (
    <span title={times ? `${count(times.count)} requests had it` : "No request had it"}>
      {milliseconds(times?.[quantile])}
    </span>
  );
}

/** The bar in words. */
function words(row: PhasesEntry, phases: string[], quantile: Quantile): string {
  return parts(row.phases, phases, quantile)
    .map(({ phase, percent }) => `${titleOf(phase)} ${percent < 1 ? "<1" : Math.round(percent)}%`)
    .join(", ");
}

function Bar({ row, phases, quantile }: { row: PhasesEntry; phases: string[]; quantile: Quantile }) {
  const said = words(row, phases, quantile);
  return (
    <div class="phase-bar" role="img" aria-label={said || "nothing measured"} title={said}>
      {parts(row.phases, phases, quantile).map(({ phase, percent }) => (
        <span key={phase} class="phase" data-phase={phase} style={{ width: `${percent}%` }} />
      ))}
    </div>
  );
}

function Legend({ phases }: { phases: string[] }) {
  return (
    <div class="phase-legend">
      {phases.map((phase) => (
        <span key={phase}>
          <span class="phase" data-phase={phase} />
          {titleOf(phase)}
        </span>
      ))}
      <details>
        <summary>What is this?</summary>
        <dl>
          {phases.map((phase) => (
            <div key={phase}>
              <dt>{titleOf(phase)}</dt>
              <dd>{PHASES[phase]?.meaning}</dd>
            </div>
          ))}
          <div>
            <dt>Generator lag</dt>
            <dd>{LAG_MEANING}</dd>
          </div>
        </dl>
      </details>
    </div>
  );
}
