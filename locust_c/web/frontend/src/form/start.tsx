/** The form that starts a test, or changes the running one. */

import { useState } from "preact/hooks";
import { post } from "../api";
import { args } from "../args";
import { isRunning, refresh } from "../live";
import { editing } from "../view";

interface SwarmAnswer {
  success: boolean;
  message: string;
}

export function StartForm() {
  const [error, setError] = useState("");

  async function send(event: SubmitEvent) {
    event.preventDefault();
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(event.currentTarget as HTMLFormElement)) {
      if (typeof value === "string") fields.append(name, value);
    }
    try {
      const answer: SwarmAnswer = await (await post("swarm", fields)).json();
      if (!answer.success) return setError(answer.message);
      editing.value = false;
      await refresh();
    } catch (problem) {
      setError((problem as Error).message);
    }
  }

  return (
    <form class="card" onSubmit={send}>
      <h1>{isRunning.value ? "Change the running test" : "Start a test"}</h1>
      <label>
        Number of users
        <input name="user_count" type="number" min="0" required value={args.num_users ?? 1} />
      </label>
      <label>
        Spawn rate
        <input name="spawn_rate" type="number" min="0" step="any" required value={args.spawn_rate ?? 1} />
      </label>
      <label>
        Host
        <input name="host" value={args.host} />
      </label>
      {error && <p role="alert">{error}</p>}
      <button type="submit" class="primary">
        {isRunning.value ? "Change" : "Start"}
      </button>
    </form>
  );
}
