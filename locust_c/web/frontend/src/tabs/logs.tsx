import { usePolled } from "../polled";

export function LogsTab() {
  const data = usePolled<{ master: string[]; workers: Record<string, string[]> }>(
    "logs",
    (answer) => answer.counts.log_lines,
  );
  return <pre class="card">{data?.master.join("\n")}</pre>;
}
