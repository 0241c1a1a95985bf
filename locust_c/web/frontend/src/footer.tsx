/** The bottom of the page: what this is, and who is signed in. */

import { args } from "./args";

export function Footer() {
  return (
    <footer class="bottom small muted">
      <span>locust-c {args.version}</span>
      <a href="https://docs.locust.io" target="_blank" rel="noreferrer">
        Locust’s documentation
      </a>
      {args.login_name && (
        <span>
          Signed in as <bdi>{args.login_name}</bdi>
        </span>
      )}
      {args.logout_url && (
        <form method="post" action={args.logout_url}>
          <button type="submit" class="link">
            Sign out
          </button>
        </form>
      )}
    </footer>
  );
}
