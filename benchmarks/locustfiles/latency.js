// Virtual users of k6 without wait, as latency.py has them; the summary is one line of JSON.
import http from "k6/http";

export const options = {
  vus: Number(__ENV.BENCH_USERS),
  duration: `${__ENV.BENCH_SECONDS}s`,
  summaryTrendStats: ["med", "p(99)", "p(99.9)", "max", "count"],
};

export default function () {
  http.get(__ENV.BENCH_URL);
}

export function handleSummary(data) {
  return { stdout: JSON.stringify(data.metrics.http_req_duration.values) + "\n" };
}
