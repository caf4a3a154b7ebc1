"""The list of jobs in a real browser: live, and several jobs cancelled, deleted and compared at once."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.lasting import Lasting

LONG = {"dataset": "digits", "model": {"name": "mlp", "hidden": [64]}, "epochs": 5000, "name": "in bulk"}


def test_several_jobs_are_cancelled_compared_and_deleted_at_once(page: Page, iris: str, service: Lasting) -> None:
    page.goto("/?q=in+bulk")
    expect(page.locator(".empty")).to_contain_text("No job is like this")
    ids = [service.submit(**LONG), service.submit(**LONG)]
    expect(page.locator("tbody tr")).to_have_count(2, timeout=20_000)
    for job_id in ids:
        page.locator(f"#{job_id} input").check(timeout=20_000)
    expect(page.locator("#chosen-count")).to_have_text("for 2 jobs")

    page.get_by_role("button", name="Cancel", exact=True).click()
    for job_id in ids:
        expect(page.locator(f"#{job_id} .status")).to_have_text("cancelled", timeout=20_000)
        expect(page.locator(f"#{job_id} input")).to_be_checked()

    page.get_by_role("button", name="Compare").click()
    page.wait_for_url(f"**/compare?jobs={ids[1]},{ids[0]}")
    page.go_back()
    for job_id in ids:
        page.locator(f"#{job_id} input").check()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".empty")).to_contain_text("No job is like this", timeout=20_000)
    assert {service.api.get(f"/v1/jobs/{job_id}").status_code for job_id in ids} == {410}
    assert service.job(iris)["status"] == "succeeded"


def test_a_row_follows_its_job_to_its_end_and_goes_with_it(page: Page, service: Lasting) -> None:
    job_id = service.submit(**{**LONG, "name": "followed"})
    page.goto("/?q=followed")
    row = page.locator(f"#{job_id}")
    expect(row.locator(".status")).to_have_text("running", timeout=20_000)
    page.wait_for_function(f"() => Number(document.getElementById('{job_id}').dataset.epoch) > 2", timeout=20_000)
    expect(row.locator(".spark path")).to_have_count(2)
    expect(row.locator(".left")).to_contain_text("left")
    shown = row.locator(".spark path").first.get_attribute("d")
    expect(row.locator(".spark path").first).not_to_have_attribute("d", shown or "", timeout=20_000)

    service.api.post(f"/v1/jobs/{job_id}/cancel")
    expect(row.locator(".status")).to_have_text("cancelled", timeout=20_000)
    assert service.api.delete(f"/v1/jobs/{job_id}").status_code == 204
    expect(page.locator(".empty")).to_contain_text("No job is like this", timeout=20_000)
