import { LineChart } from "../charts/line";
import { timeline } from "../live";

export function ChartsTab() {
  const { time, rps, failures } = timeline.value;
  return (
    <LineChart
      title="Requests per second"
      time={time}
      lines={[
        { label: "requests/s", values: rps },
        { label: "failures/s", values: failures },
      ]}
    />
  );
}
