"""Signing in: with the password of the environment, and with a login that a locustfile brings."""

from __future__ import annotations

from collections.abc import Callable

import axe
from command_process import QUIET
from page import Page
from site_process import Site

OWN_LOGIN = (
    QUIET
    + """
from flask import redirect, request, session
from flask_login import UserMixin, login_user

class Person(UserMixin):
    def __init__(self, name):
        self.name = name

    def get_id(self):
        return self.name

@events.init.add_listener
def with_login(environment, web_ui, **kwargs):
    if not web_ui:
        return
    web_ui.login_manager.user_loader(Person)
    web_ui.app.config["SECRET_KEY"] = "only for this test"
    web_ui.auth_args = {"username_password_callback": "/check-login", "title": "The shop's load test"}

    @web_ui.app.route("/check-login", methods=["POST"])
    def check_login():
        if request.form.get("password") == "sesame":
            login_user(Person(request.form["username"]))
            return redirect("/")
        session["auth_error"] = "<b>Not</b> the right word"
        return redirect("/login")

    @web_ui.app.route("/for-members")
    @web_ui.auth_required_if_enabled
    def for_members():
        return "Only for members"
"""
)


def sign_in(page: Page, name: str | None, password: str) -> None:
    if name is not None:
        page.fill("User name", name)
    page.fill("Password", password)
    page.click("button", "Sign in")


def test_the_password_of_the_environment(page: Page, start_site: Callable[..., Site]) -> None:
    # The answer to a wrong password is 401, which the browser reports.
    page.expected_errors.append("401")
    site = start_site(QUIET, "--web-user", "ann", env={"LOCUST_WEB_PASSWORD": "correct horse"})
    page.open(f"{site.url}?tab=charts")
    page.find("field", "Password")
    assert axe.findings(page) == []
    page.chromium.picture("sign-in")
    sign_in(page, "ann", "wrong horse")
    page.wait_for_text("Wrong user name or password.")
    page.chromium.picture("sign-in-wrong")
    page.chromium.theme("dark")
    assert axe.findings(page) == []
    page.chromium.picture("sign-in-dark")
    sign_in(page, "ann", "correct horse")
    page.wait_for_status("ready")
    assert "tab=charts" in page.address
    page.wait_for_text("Signed in as ann")
    page.click("button", "Start")
    page.wait_for_status("running")

    # The session ends elsewhere: the page says so, and leads to the login.
    page.chromium.cdp("Network.clearBrowserCookies")
    page.wait_for_text("You are signed out")
    page.click("link", "Sign in")
    sign_in(page, "ann", "correct horse")
    page.wait_for_status("running")
    page.click("button", "Sign out")
    page.find("field", "Password")
    page.open(site.url)
    page.find("field", "Password")
    assert "Statistics" not in page.text


def test_a_login_of_a_locustfile(page: Page, start_site: Callable[..., Site]) -> None:
    site = start_site(OWN_LOGIN, "--web-login")
    page.open(f"{site.url}for-members")
    page.find("field", "Password")
    page.open(site.url)
    page.wait_for_text("The shop's load test")
    page.fill("Username", "ann")
    page.fill("Password", "open")
    page.press("\n")
    page.wait_for_text("<b>Not</b> the right word")
    page.fill("Username", "ann")
    page.fill("Password", "sesame")
    page.press("\n")
    page.wait_for_status("ready")
    page.expected_errors.append("favicon.ico")
    page.open(f"{site.url}for-members")
    assert page.text == "Only for members"
