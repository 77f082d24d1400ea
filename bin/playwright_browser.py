"""Print where Playwright has its own Chromium, or nothing where it has none. Called by bin/test."""

import pathlib

import playwright.sync_api

with playwright.sync_api.sync_playwright() as driver:
    path = driver.chromium.executable_path
    if pathlib.Path(path).exists():
        print(path)
