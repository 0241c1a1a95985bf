"""What the login page may be told to show (`locust.web.AuthArgs` and its parts)."""

from __future__ import annotations

from typing import TypedDict

__all__ = ["AuthArgs", "AuthProvider", "CustomForm", "InputField"]


class InputField(TypedDict, total=False):
    """One field of a form of one's own."""

    label: str
    name: str
    type: str | None
    default_value: bool | None
    choices: list[str] | None
    is_multiple: bool | None
    is_secret: bool | None
    is_required: bool | None


class CustomForm(TypedDict, total=False):
    """A form of one's own instead of user name and password."""

    inputs: list[InputField] | None
    callback_url: str
    submit_button_text: str | None


class AuthProvider(TypedDict, total=False):
    """A link to somebody who says who one is."""

    label: str | None
    callback_url: str
    icon_url: str | None


class AuthArgs(TypedDict, total=False):
    """What ``web_ui.auth_args`` may hold."""

    custom_form: CustomForm
    auth_providers: list[AuthProvider]
    username_password_callback: str
    error: str
    info: str
