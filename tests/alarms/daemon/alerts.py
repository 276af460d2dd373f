# SPDX-License-Identifier: Apache-2.0
"""From a loop of a live agent to those who are told, and what happens when they do not listen."""
import hashlib
import hmac
import json
import os
import re
import time

from daemon import Daemon, Trace, check, same, wait_until, write
from play import Client, exact, records_of
from receiver import Receiver

SECRET = "a key of the webhook"
RULE = "same_call_same_error"
WITHIN = 5  # seconds from the call that makes it a loop to everybody who is to hear of it


def told(alertmanager, webhook, folder):
    """Configuration of a daemon that tells both. Retries are soon, so that the rows are short."""
    secret = os.path.join(folder, "webhook.secret")
    write(secret, SECRET + "\n")
    return {"alertmanager": {"urls": [f"http://localhost:{alertmanager.port}"], "timeout": "500ms", "resend": "2s"},
            "webhook": {"urls": [f"http://127.0.0.1:{webhook.port}/hook"], "timeout": "500ms", "group_wait": "0s",
                        "secret_file": secret},
            "labels": {"cluster": "test"}}


def signed(head, body):
    stamp = head["x-mcpvigil-timestamp"]
    check(abs(time.time() - int(stamp)) < 120, f"timestamp {stamp}")
    mac = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    same(head["x-mcpvigil-signature"], f"sha256={mac}", "signature")


def all_told(daemon, client, outputs, status):
    """Whether the log, both receivers and the page have the alert of @client."""
    log = daemon.alerts(client.pid, status)
    if not log:
        return False
    alertmanager, webhook = ([alert for _, _, alert in output.alerts(session=log[0]["session"], rule=RULE)] for output in outputs)
    return any(("endsAt" in alert) == (status == "resolved") for alert in alertmanager) and \
        any(alert["status"] == status for alert in webhook) and daemon.metric("mcpvigil_alerts_total", rule=RULE, state=status)


def live_alert(env):
    """A loop: told in the log, signed to a webhook, to an Alertmanager, on the page, in 5 s; then that it is over."""
    with Receiver() as alertmanager, Receiver() as webhook, \
            Daemon(env.agent, env.folder, told(alertmanager, webhook, env.folder)) as daemon, Client(env.folder) as client:
        outputs = [alertmanager, webhook]
        client.tell("work 3")
        check(not daemon.alerts(client.pid), "an alert before the loop")
        client.tell("fail 4")
        wait_until("everybody is told", lambda: all_told(daemon, client, outputs, "firing"), WITHIN)
        same(daemon.metric("mcpvigil_loop_alerts_total", rule=RULE, severity="high"), 1, "loop alerts on the page")
        wait_until("it is active on the page", lambda: daemon.metric("mcpvigil_loops_active", rule=RULE) == 1, WITHIN)
        client.tell("work 6")
        wait_until("everybody is told the end", lambda: all_told(daemon, client, outputs, "resolved"), WITHIN)
        wait_until("none is active on the page", lambda: daemon.metric("mcpvigil_loops_active", rule=RULE) == 0, WITHIN)
        alert = daemon.alerts(client.pid)[0]
        same((alert["rule"], alert["severity"], alert["tool"], alert["call"]), (RULE, "high", "fail", 5), "alert")
        same((alert["client"]["name"], alert["server"]["name"]), ("raw", "raw"), "its peers")
        for _, head, body in webhook.got:
            signed(head, body)
            same(json.loads(body)["version"], "4", "version of the body")
        same({head[""] for _, head, _ in alertmanager.got}, {"POST /api/v2/alerts HTTP/1.1"}, "Alertmanager's requests")
        check(all(a["labels"]["cluster"] == "test" for o in outputs for _, _, a in o.alerts(rule=RULE)), "no label of ours")
        client.end()
        daemon.end()


def silence_resolves(env):
    """A loop that just ends is resolved after loops.resolve_after."""
    with Daemon(env.agent, env.folder, {"loops": {"resolve_after": "1s"}}) as daemon, Client(env.folder) as client:
        client.tell("fail 4")
        wait_until("it fires", lambda: daemon.alerts(client.pid), WITHIN)
        wait_until("it is resolved", lambda: daemon.alerts(client.pid, "resolved"), WITHIN + 1)
        client.end()
        daemon.end()


def failing(daemon):
    """Names of the outputs that /readyz complains of."""
    status, text = daemon.ready()
    names = re.findall(r"output failing: (\w+)", text)
    same(status, 503 if names else 200, f"/readyz says {text!r}: status")
    return names


def fault(env, mode, words):
    """Both are so while the loop fires: capture goes on and loses nothing, the page, the log and /readyz say it; once
    they work, both are told."""
    with Receiver(mode) as alertmanager, Receiver(mode) as webhook, \
            Daemon(env.agent, env.folder, told(alertmanager, webhook, env.folder)) as daemon:
        trace = Trace(daemon)
        client = Client(env.folder)
        same(failing(daemon), [], "failing at the start")
        client.tell("fail 4")
        wait_until("both fail", lambda: len(failing(daemon)) == 2)
        client.tell("work 40")
        same(sorted(failing(daemon)), ["alertmanager", "webhook"], "failing")
        for name in ("alertmanager", "webhook"):
            output = next(line for line in daemon.get("/metrics")[1].splitlines() if line.startswith(f'mcpvigil_sink_up{{sink="{name} '))
            same(output.split()[-1], "0", name)
            sink = re.search(r'sink="([^"]*)"', output)[1]
            check(daemon.metric("mcpvigil_sink_failed_total", sink=sink) >= 1, f"{name}: no failure counted")
            same(daemon.metric("mcpvigil_sink_sent_total", sink=sink), 0, f"{name}: sent")
            check(daemon.metric("mcpvigil_sink_queued", sink=sink) >= 1, f"{name}: nothing waits")
            said = re.findall(rf"{name} \S+ fails: (.*)", daemon.said())
            check(len(said) == 1 and re.search(words, said[0]), f"{name}: the log says {said}")
        check(daemon.ask("doctor").count("FAILING;") == 2, "doctor does not say it")
        for output in (alertmanager, webhook):
            output.set("ok")
        log = daemon.alerts(client.pid)
        wait_until("both are told", lambda: all(list(o.alerts(session=log[0]["session"], rule=RULE)) for o in (alertmanager, webhook)))
        wait_until("it is ready again", lambda: failing(daemon) == [])
        same(daemon.said().count("works again"), 2, "lines that it works again")
        client.end()
        text, _ = trace.finish()
        exact(client.truth, records_of(text), "the trace")
        daemon.end()


def peer_refuses(env):
    fault(env, "refused", "onnect")


def peer_says_500(env):
    fault(env, "error", "^HTTP 500")


def peer_hangs(env):
    fault(env, "hang", "imed? ?out|imeout")


def peer_half_closed(env):
    fault(env, "half", "returned nothing|mpty reply")


ROWS = [live_alert, silence_resolves, peer_refuses, peer_says_500, peer_hangs, peer_half_closed]
