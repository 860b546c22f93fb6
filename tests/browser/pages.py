#!/usr/bin/env python3
"""Signs in through the lab's pages in a real Chromium, as a person would.

usage: pages.py HOPTRAIL [SCREENSHOT_DIR]

Starts `hoptrail demo` without --headless: it prints the authorization URL and waits. Chromium
(driven over W3C WebDriver, standard library only) walks sign-in, consent and the brokered Linear
page, once allowing and once denying. What is checked is what a person would see.
"""
import json, os, re, shutil, subprocess, sys, tempfile, time, urllib.request

HOPTRAIL = os.path.abspath(sys.argv[1])
SHOTS = sys.argv[2] if len(sys.argv) > 2 else None
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Driver:
    def __init__(self):
        self.process = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                self.base = f"http://127.0.0.1:{found[1]}"
                break
        else:
            raise SystemExit("chromedriver did not start")
        self.profile = tempfile.mkdtemp()
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--window-size=900,1000", f"--user-data-dir={self.profile}"]
        answer = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"args": flags},
            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.base += f"/session/{answer['sessionId']}"

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()[:400]}") from None

    def go(self, url):
        self.ask("POST", "/url", {"url": url})

    def find(self, css):
        found = self.ask("POST", "/elements", {"using": "css selector", "value": css})
        return [e[ELEMENT] for e in found]

    def text(self, css="body"):
        return self.ask("GET", f"/element/{self.find(css)[0]}/text")

    def button(self, label):
        """Clicks the button or link that a person would read as `label`."""
        for element in self.find("button, a, input[type=submit]"):
            name = self.ask("GET", f"/element/{element}/text") or self.ask("GET", f"/element/{element}/attribute/value") or ""
            if label.lower() in name.lower():
                self.ask("POST", f"/element/{element}/click", {})
                return
        raise AssertionError(f"no button {label!r} on {self.ask('GET', '/url')}:\n{self.text()}")

    def wait(self, words, seconds=10):
        end = time.time() + seconds
        while time.time() < end:
            try:
                if words.lower() in self.text().lower():
                    return self.text()
            except (AssertionError, IndexError):
                pass
            time.sleep(0.05)
        raise AssertionError(f"{words!r} did not come; the page is {self.ask('GET', '/url')}:\n{self.text()}")

    def shot(self, name):
        if SHOTS:
            import base64
            os.makedirs(SHOTS, exist_ok=True)
            with open(os.path.join(SHOTS, name + ".png"), "wb") as out:
                out.write(base64.b64decode(self.ask("GET", "/screenshot")))

    def complaints(self):
        """What the browser's console says, but for the icon that no page has and for the status
        of the page that tells of a refusal."""
        log = self.ask("POST", "/se/log", {"type": "browser"})
        expected = ("favicon", "callback?error=access_denied")
        return [e["message"] for e in log if not any(word in e["message"] for word in expected)]

    def close(self):
        try:
            self.ask("DELETE", "")
        finally:
            self.process.terminate()
            shutil.rmtree(self.profile, ignore_errors=True)


class Demo:
    """`hoptrail demo` waiting for a browser."""

    def __init__(self, state):
        # No DISPLAY and no opener on PATH: the URL is shown, and a person would copy it.
        env = {**os.environ, "PATH": "/nowhere", "BROWSER": ""}
        self.process = subprocess.Popen([HOPTRAIL, "demo", "--plain", "--state", state],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"(http://127\.0\.0\.1:\d+/oauth/2/authorize\?\S+)", line)
            if found:
                self.url = found[1]
                return
        raise AssertionError("no URL was printed:\n" + "".join(self.lines))

    def end(self):
        rest, _ = self.process.communicate(timeout=60)
        return self.process.returncode, "".join(self.lines) + rest


def allow(driver, state):
    demo = Demo(state)
    driver.go(demo.url)
    driver.wait("Continue with GitHub")
    driver.shot("1-sign-in")
    driver.button("Continue with GitHub")
    driver.wait("Ada Lindqvist")
    driver.shot("2-github")
    driver.button("Ada Lindqvist")
    page = driver.wait("Allow")
    driver.shot("3-consent")
    for words in ["hoptrail", "127.0.0.1", "Workshop MCP Server", "Supabase Database", "Anthropic API", "Linear API",
                  "read", "write", "issues:create"]:
        assert words in page, f"the consent page does not name {words!r}:\n{page}"
    driver.button("Allow")
    page = driver.wait("Linear")
    driver.shot("4-linear")
    driver.button("Allow")
    driver.wait("go back to your terminal")
    driver.shot("5-callback")
    assert "code=" not in driver.text(), "the callback page shows the code"
    code, output = demo.end()
    assert code == 0, f"the demo ended with {code}:\n{output}"
    assert "limit-linear-scopes" in output, output


def again(driver, state):
    """The second sign-in in the same browser needs no GitHub page and no new consent."""
    demo = Demo(state)
    driver.go(demo.url)
    driver.wait("go back to your terminal")
    code, output = demo.end()
    assert code == 0, f"the second demo ended with {code}:\n{output}"


def deny(driver, state):
    demo = Demo(state)
    driver.go(demo.url)
    driver.wait("Continue with GitHub")
    driver.button("Continue with GitHub")
    driver.wait("Noor Haddad")
    driver.button("Noor Haddad")
    driver.wait("Deny")
    driver.button("Deny")
    page = driver.wait("refused")
    driver.shot("6-denied")
    code, output = demo.end()
    assert code == 4, f"a denied consent ended with {code}:\n{output}"
    assert "denied" in output.lower(), output


def main():
    with tempfile.TemporaryDirectory() as state, tempfile.TemporaryDirectory() as fresh:
        for story, where in [([allow, again], state), ([deny], fresh)]:
            driver = Driver()
            try:
                for part in story:
                    part(driver, where)
                    print(f"{part.__name__}: as expected")
                complaints = driver.complaints()
                assert not complaints, "the browser complains: " + "\n".join(complaints)
            finally:
                driver.close()


main()
