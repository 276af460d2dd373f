# SPDX-License-Identifier: Apache-2.0
"""The configuration at the start and at SIGHUP."""
import json
import os
import re
import subprocess

from daemon import PATIENCE, Daemon, Trace, check, same, wait_until, write
from play import Client

OTHERS = ("same_call_fails", "same_error", "same_error_window", "error_storm", "same_call_volatile_result")  # they would fire as well


def threshold(n):
    return {"loops": {"rules": {"same_call_same_error": {"threshold": n}, **{rule: {"enabled": False} for rule in OTHERS}}}}


OFF, ON = threshold(9), threshold(4)


def counts(daemon, ok, reloads, failures):
    """The page and doctor say how often a reload was taken and refused."""
    want = (ok, reloads, failures)
    names = ("mcpvigil_config_last_reload_successful", "mcpvigil_config_reloads_total", "mcpvigil_config_reload_failures_total")
    wait_until(f"{want} on the page", lambda: tuple(daemon.metric(name) for name in names) == want)
    state = "as in its file" if ok else "its file was refused: the one before is in force"
    text = daemon.ask("doctor")
    check(f"config      {state}, reloaded {reloads} times, refused {failures} times\n" in text, f"doctor: {text}")


def in_force(env, daemon, name, n):
    """A client whose call fails @n times is an alert, and once less is none. It works first: to the agent it is the one
    before, started again, whose loop would just go on."""
    with Client(env.folder, name) as client:
        trace = Trace(daemon, name=f"{name}.trace")
        client.tell("work 6")
        client.tell(f"fail {n - 1}")
        client.end()
        trace.finish()  # what happened by now has been judged
        same(daemon.alerts(client.pid), [], f"{name}: alerts below {n}")
    with Client(env.folder, name) as client:
        client.tell("work 6")
        client.tell(f"fail {n}")
        wait_until(f"{name}: an alert at {n}", lambda: daemon.alerts(client.pid))
        client.end()


def reload_applies(env):
    """A threshold that changes is in force after SIGHUP, for sessions too that are under way."""
    with Daemon(env.agent, env.folder, OFF) as daemon, Client(env.folder, "under_way") as client:
        client.tell("fail 3")
        client.tell("work 3")
        in_force(env, daemon, "before", 9)
        daemon.configure(ON)
        same(daemon.reload(), "mcpvigil: configuration reloaded\n", "said")
        counts(daemon, 1, 1, 0)
        in_force(env, daemon, "after", 4)
        client.tell("fail 4")
        wait_until("the session under way", lambda: daemon.alerts(client.pid))
        client.end()
        daemon.end()


BROKEN = {
    "no YAML": ('loops: {rules: [', r":\d+: "),
    "unknown key": (json.dumps({**ON, "prometeus": {}}), r":1: key 'prometeus': unknown key"),
    "ill-typed": (json.dumps({**ON, "limits": {"sessions": "many"}}), r":1: key 'limits.sessions': not a whole number"),
    "out of bounds": (json.dumps({**ON, "loops": {"resolve_after": "1ms", **ON["loops"]}}), r":1: key 'loops.resolve_after': "),
    "a bad rule": (json.dumps({**ON, "alerts": {"rules": [{"id": "x", "metric": "smell", "above": 1}]}}), r":1: key 'alerts.rules"),
}


def reload_refuses_broken(env):
    """Whatever is wrong with the file: the old configuration stays, all of it, and everybody can see that."""
    with Daemon(env.agent, env.folder, OFF) as daemon:
        for failures, (what, (text, words)) in enumerate(BROKEN.items(), 1):
            write(daemon.file, text)
            said = daemon.reload()
            check(re.search(re.escape(daemon.file) + words, said), f"{what}: {said}")
            check(said.endswith("mcpvigil: reload failed, the old configuration stays\n"), f"{what}: {said}")
            counts(daemon, 0, 0, failures)
        in_force(env, daemon, "still", 9)
        daemon.configure(ON)
        same(daemon.reload(), "mcpvigil: configuration reloaded\n", "said")
        counts(daemon, 1, 1, len(BROKEN))
        in_force(env, daemon, "after", 4)
        daemon.end()


def reload_refuses_fixed(env):
    """Keys that cannot change are named, and nothing that came with them applies."""
    with Daemon(env.agent, env.folder, OFF) as daemon:
        for failures, (names, change) in enumerate({
                "limits.sessions": {"limits": {"sessions": 99}},
                "control.socket": {"control": {"socket": daemon.socket + "2"}},
                "prometheus.listen, labels": {"prometheus": {"listen": ""}, "labels": {"a": "b"}}}.items(), 1):
            old = daemon.config
            daemon.configure({**ON, **change})
            same(daemon.reload(), f"mcpvigil: reload refused, the old configuration stays: {names} cannot change while running\n",
                 "said")
            counts(daemon, 0, 0, failures)
            daemon.config = old
        in_force(env, daemon, "still", 9)
        daemon.end()


def others_may_write(env):
    """A file, or a folder on the way to it, that others may write is taken neither at the start nor at a reload."""
    daemon = Daemon(env.agent, env.folder, OFF)
    daemon.configure()
    os.chmod(daemon.file, 0o666)
    check("can be written by everybody" in daemon.refused(), f"at the start: {daemon.said()}")
    os.chmod(daemon.file, 0o620)
    check("can be written by its group" in daemon.refused(), f"by the group: {daemon.said()}")
    os.chmod(daemon.file, 0o600)
    os.chown(daemon.file, 65534, 65534)
    check("belongs to" in daemon.refused(), f"another's: {daemon.said()}")
    os.chmod(env.folder, 0o777)
    daemon.configure()
    check("can be written by everybody" in daemon.refused(), f"folder: {daemon.said()}")
    os.chmod(env.folder, 0o700)
    write(daemon.key, "0" * 64 + "\n", 0o666)
    check("key_file" in daemon.refused(), f"key: {daemon.said()}")
    os.remove(daemon.key)
    with daemon:
        daemon.configure(ON)
        os.chmod(daemon.file, 0o666)
        said = daemon.reload()
        check("can be written by everybody" in said and said.endswith("the old configuration stays\n"), f"at the reload: {said}")
        counts(daemon, 0, 0, 1)
        same(os.stat(daemon.key).st_mode & 0o777, 0o600, "mode of the key that was made")
        in_force(env, daemon, "still", 9)
        daemon.end()


def done(words, env=None):
    """(status, standard output, standard error)"""
    run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
                         env={**os.environ, **(env or {})})
    return run.returncode, run.stdout, run.stderr


def wrong_words(env):
    """Flags and variables: unknown ones stop the start, good ones override the file; the printed default loads."""
    daemon = Daemon(env.agent, env.folder)
    daemon.configure()
    run = [env.agent, "run", "--config", daemon.file]
    status, _, err = done([*run, "--prometeus-listen", "x"])
    check(status == 2 and "--prometeus-listen" in err, f"unknown flag: {status} {err}")
    status, _, err = done(run, {"MCPVIGIL_CONTEN": "true"})
    same((status, err), (1, "mcpvigil: MCPVIGIL_CONTEN: no key of this name\n"), "unknown variable")
    status, _, err = done([*run, "--loops-round-gap", "soon"])
    check(status == 1 and "'loops.round_gap'" in err, f"bad flag: {status} {err}")
    same(done([*run, "--check"]), (0, "", ""), "--check")
    check(not os.path.exists(daemon.socket) and not os.path.exists(daemon.key), "--check has left something")
    status, out, err = done([env.agent, "config", "--print-default"])
    same((status, err), (0, ""), "print-default")
    default = os.path.join(env.folder, "default.yaml")
    write(default, out)
    same(done([env.agent, "run", "--check", "--config", default, "--key-file="]), (0, "", ""), "the default")
    # Of the three the flag counts, then the variable.
    daemon = Daemon(env.agent, env.folder, {"labels": {"from": "file"}}, ["--loops-rules-same-call-same-error-threshold", "4"],
                    {"MCPVIGIL_LOOPS_RULES_SAME_CALL_SAME_ERROR_THRESHOLD": "9", "MCPVIGIL_LABELS": "from=variable"})
    with daemon:
        in_force(env, daemon, "flag", 4)
        check('"labels":{"from":"variable"}' in open(daemon.log, encoding="utf-8").read(), "the variable does not override the file")
        daemon.end()


ROWS = [reload_applies, reload_refuses_broken, reload_refuses_fixed, others_may_write, wrong_words]
