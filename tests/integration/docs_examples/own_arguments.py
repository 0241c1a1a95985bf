"""Options of one's own on the command line, in the environment and in config files."""

from locust import HttpUser, constant, events, tag, task


@events.init_command_line_parser.add_listener
def add_options(parser):
    parser.add_argument("--greeting", default="hello", env_var="GREETING", help="what users say")
    parser.add_argument("--api-key", is_secret=True, default="", help="not shown in the web UI")
    parser.add_argument("--loud", action="store_true", include_in_web_ui=False)


@events.test_start.add_listener
def show(environment, **kwargs):
    options = environment.parsed_options
    print("options", options.greeting, options.loud, len(options.api_key))


class Greeter(HttpUser):
    wait_time = constant(0.01)

    @tag("read")
    @task
    def greet(self):
        self.client.get(f"/anything/{self.environment.parsed_options.greeting}")
