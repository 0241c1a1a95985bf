/** How often each user class and each task is picked. */

import { NOTHING, share } from "../format";
import { usePolled } from "../polled";
import "./ratios.css";
import { type RatioRow, ratioRows, type Tasks } from "./ratio-rows";

export function RatiosTab() {
  const data = usePolled<{ per_class: Tasks; total: Tasks }>("tasks");
  if (!data) return <p class="empty" aria-busy="true" />;
  const rows = ratioRows(data.per_class, data.total);
  if (rows.length === 0) return <p class="empty">There are no user classes.</p>;
  return (
    <div class="scroll">
      <table class="ratios">
        <thead>
          <tr>
            <th scope="col">User class and task</th>
            <th scope="col">
              Ratio per class <small>of the tasks beside it</small>
            </th>
            <th scope="col">
              Total ratio <small>of all tasks</small>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.path.join("\n")} {...row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ name, depth, own, total }: RatioRow) {
  return (
    <tr class={depth === 0 ? "ratio-class" : ""}>
      <th scope="row" class="ratio-name" style={{ "--depth": depth }}>
        <bdi>{name}</bdi>
      </th>
      <td class="ratio-cell">
        <Bar part={own} />
      </td>
      <td class="ratio-cell">
        <Bar part={total} />
      </td>
    </tr>
  );
}

function Bar({ part }: { part: number | null }) {
  if (part === null) return <>{NOTHING}</>;
  return (
    <div class="ratio-bar">
      <span>{share(part)}</span>
      <span style={{ "--part": `${part * 100}%` }} />
    </div>
  );
}
