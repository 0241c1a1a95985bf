// One virtual user of k6 that connects anew for each request; the summary is one line of JSON.
import http from "k6/http";

export const options = {
  duration: `${__ENV.BENCH_SECONDS}s`,
  insecureSkipTLSVerify: true,
  noConnectionReuse: true,
  summaryTrendStats: ["med"],
};

export default function () {
  http.get(__ENV.BENCH_URL);
}

export function handleSummary(data) {
  const metrics = ["http_req_duration", "http_req_connecting", "http_req_tls_handshaking"];
  return { stdout: JSON.stringify(Object.fromEntries(metrics.map((m) => [m, data.metrics[m].values.med]))) + "\n" };
}
