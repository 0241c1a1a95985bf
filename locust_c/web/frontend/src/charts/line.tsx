/** Lines over time, drawn by uPlot. */

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Line {
  label: string;
  values: (number | null)[];
}

const HEIGHT = 240;

export function LineChart({ title, time, lines }: { title: string; time: number[]; lines: Line[] }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data: uPlot.AlignedData = [time, ...lines.map(({ values }) => values)];
  useEffect(() => {
    const node = place.current as HTMLDivElement;
    const series = lines.map(({ label }) => ({ label, stroke: "currentColor" }));
    plot.current = new uPlot(
      { width: node.clientWidth, height: HEIGHT, series: [{}, ...series] },
      data,
      node,
    );
    return () => plot.current?.destroy();
  }, []);
  useEffect(() => plot.current?.setData(data), [time]);
  return (
    <figure class="card">
      <figcaption>{title}</figcaption>
      <div ref={place} />
    </figure>
  );
}
