/** Which part of the course the charts show: buttons for all of them. */

import { timeline } from "../live";
import { moment } from "./ticks";
import { course, follow, following, isZoomed, move, show, showAll, showLast, span, zoom } from "./view";

const FIVE_MINUTES_S = 300;
const ZOOM = 2;
const MOVE = 0.5;

export function Toolbar() {
  const none = course.value === null;
  const begin = lastBegin();
  return (
    <div class="chart-bar" role="toolbar" aria-label="Range of the charts">
      <div class="group">
        <button type="button" disabled={none} onClick={() => showLast(FIVE_MINUTES_S)}>
          5 min
        </button>
        {begin !== null && (
          <button type="button" onClick={() => show({ from: String(Math.floor(begin)), to: "" })}>
            Last run
          </button>
        )}
        <button type="button" disabled={none} onClick={showAll}>
          All
        </button>
      </div>
      <button
        type="button"
        disabled={none}
        aria-pressed={following.value}
        onClick={() => follow(!following.value)}
        title="Keep the newest points in view"
      >
        Follow
      </button>
      <div class="group">
        <button
          type="button"
          disabled={none}
          onClick={() => move(-MOVE)}
          aria-label="Earlier"
          title="Earlier (<)"
        >
          <Icon path="M10 3 5 8l5 5" />
        </button>
        <button
          type="button"
          disabled={none}
          onClick={() => zoom(1 / ZOOM)}
          aria-label="Zoom in"
          title="Zoom in (+)"
        >
          <Icon path="M8 3v10M3 8h10" />
        </button>
        <button
          type="button"
          disabled={none}
          onClick={() => zoom(ZOOM)}
          aria-label="Zoom out"
          title="Zoom out (-)"
        >
          <Icon path="M3 8h10" />
        </button>
        <button type="button" disabled={none} onClick={() => move(MOVE)} aria-label="Later" title="Later (>)">
          <Icon path="m6 3 5 5-5 5" />
        </button>
      </div>
      <button type="button" disabled={!isZoomed.value} onClick={showAll}>
        Reset zoom
      </button>
      <span class="muted range">{words()}</span>
    </div>
  );
}

function words(): string {
  if (!span.value) return "";
  const { min, max } = span.value;
  return `${moment(min)} – ${moment(max)}`;
}

/** When the last run began, if there was one before it. */
function lastBegin(): number | null {
  const { users, time } = timeline.value;
  const gap = users.lastIndexOf(null);
  return gap < 0 ? null : (time[gap] ?? null);
}

function Icon({ path }: { path: string }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
