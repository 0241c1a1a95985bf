/** What the server knew when it rendered the page: `window.templateArgs`, named as Locust documents it. */

export interface CustomArgument {
  default_value: boolean | number | string | (string | number)[] | null;
  is_secret: boolean;
  is_required: boolean;
  help_text: string | null;
  is_multiple: boolean;
  choices: string[] | null;
}

export interface UserClass {
  host: string | null;
  weight: number;
  fixed_count: number;
  tasks: string[];
  [attribute: string]: unknown;
}

export interface TemplateArgs {
  /** Another one for each start of the server; pages of users' own may come without it. */
  instance?: string;
  locustfile: string | null;
  state: string;
  version: string;
  host: string;
  is_distributed: boolean;
  worker_count: number;
  user_count: number;
  num_users: number | null;
  spawn_rate: number | null;
  run_time: string | number | null;
  profile: string | null;
  all_profiles?: string[];
  shape: string | null;
  hide_common_options: boolean;
  shape_use_common_options: boolean;
  is_host_required: boolean;
  override_host_warning: boolean;
  missing_host_warning: boolean;
  extra_options: Record<string, CustomArgument>;
  show_userclass_picker: boolean;
  available_user_classes: string[];
  available_shape_classes: string[];
  shapes_with_common_options: string[];
  available_user_tasks: Record<string, string[]>;
  users: Record<string, UserClass>;
  stats_history_enabled: boolean;
  percentiles_to_chart: number[];
  percentiles_to_statistics: number[];
  login_name?: string | null;
  logout_url?: string | null;
  extended_tabs?: { title: string; key: string }[];
  extended_tables?: { key: string; structure: { key: string; title: string }[] }[];
  extended_csv_files?: { href: string; title: string }[];
}

declare global {
  interface Window {
    templateArgs: TemplateArgs;
  }
}

export const args: TemplateArgs = window.templateArgs;
