import { share } from "../format";
import { usePolled } from "../polled";

interface Tasks {
  [name: string]: { ratio: number; tasks?: Tasks };
}

export function RatiosTab() {
  const data = usePolled<{ per_class: Tasks; total: Tasks }>("tasks");
  if (!data) return null;
  return (
    <div class="card">
      <h2>Ratio per user class</h2>
      <RatioList tasks={data.per_class} />
      <h2>Total ratio</h2>
      <RatioList tasks={data.total} />
    </div>
  );
}

function RatioList({ tasks }: { tasks: Tasks }) {
  return (
    <ul class="ratio">
      {Object.entries(tasks).map(([name, task]) => (
        <li key={name}>
          {share(task.ratio)} {name}
          {task.tasks && <RatioList tasks={task.tasks} />}
        </li>
      ))}
    </ul>
  );
}
