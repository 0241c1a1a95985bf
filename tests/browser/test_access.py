"""Ways to the page: TLS, a base path, and pages that a locustfile adds."""

from __future__ import annotations

from collections.abc import Callable

from command_process import QUIET
from page import Page
from servers.certificates import Certificates
from site_process import Site

EXTENDED = """
import random
from flask import Blueprint, render_template, request
from locust import User, constant, events, task, web

@web.app.route("/added_page")
def my_added_page():
    return "Another page"

@events.init.add_listener
def extend(environment, web_ui, **kwargs):
    if not web_ui:
        return
    extension = Blueprint("sizes", "sizes")
    sizes = {"/": 120, "<b>bold</b>": 7}

    @extension.route("/sizes")
    def page():
        web_ui.update_template_args()
        return render_template(
            "index.html",
            template_args={
                **web_ui.template_args,
                "extended_tabs": [{"title": "Content Length", "key": "content-length"}],
                "extended_tables": [{
                    "key": "content-length",
                    "structure": [{"key": "name", "title": "Name"}, {"key": "size", "title": "Total size"}],
                }],
                "extended_csv_files": [{"href": "sizes/csv", "title": "Sizes CSV"}],
            },
        )

    @extension.route("/sizes/csv")
    def csv():
        return "name,size\\n/,120\\n", 200, {
            "Content-Type": "text/csv", "Content-Disposition": "attachment;filename=sizes.csv"
        }

    @web_ui.app.after_request
    def add_sizes(response):
        if request.path.endswith("/stats/requests"):
            data = response.get_json()
            rows = [{"name": name, "size": size} for name, size in sizes.items()]
            response.set_data(web_ui.app.json.dumps(
                {**data, "extended_stats": [{"key": "content-length", "data": rows}]}))
        return response

    web_ui.app.register_blueprint(extension)

class Quiet(User):
    wait_time = constant(0.1)

    @task
    def nothing(self):
        pass
"""


def test_over_tls(page: Page, start_site: Callable[..., Site], certificates: Certificates) -> None:
    files = ("--tls-cert", str(certificates.chain("good")), "--tls-key", str(certificates.key("good")))
    site = start_site(QUIET, *files)
    assert site.url.startswith("https://")
    page.open(site.url)
    page.wait_for_status("ready")
    page.click("button", "Start")
    page.wait_for_status("running")
    assert page.address.startswith("https://")


def test_below_a_base_path(page: Page, start_site: Callable[..., Site]) -> None:
    site = start_site(QUIET, "--web-base-path", "/load/test")
    assert site.url.endswith("/load/test/")
    page.open(site.url)
    page.wait_for_status("ready")
    page.click("button", "Start")
    page.wait_for_status("running")
    page.open_tab("Download Data")
    assert page.find("link", "Download Requests CSV").get_attribute("href") == f"{site.url}stats/requests/csv"
    # Without the slash at the end it is the same page.
    page.open(site.url.rstrip("/"))
    page.wait_for_status("running")


def test_pages_that_a_locustfile_adds(page: Page, start_site: Callable[..., Site]) -> None:
    site = start_site(EXTENDED)
    # A page of one's own has the icon that its author gives it.
    page.expected_errors.append("favicon.ico")
    page.open(f"{site.url}added_page")
    assert page.text == "Another page"

    site.start()
    page.open(f"{site.url}sizes?tab=content-length")
    page.wait_for_status("running")
    assert page.selected_tab == "Content Length"
    assert page.row(name="/")["Total size"] == "120"
    assert page.row(name="<b>bold</b>")["Total size"] == "7"
    page.chromium.picture("extended-tab")
    page.open_tab("Download Data")
    assert page.find("link", "Download Sizes CSV").get_attribute("href") == f"{site.url}sizes/csv"
    page.open_tab("Statistics")
    page.reload()
    page.wait_for_status("running")
    assert page.has("tab", "Content Length")
