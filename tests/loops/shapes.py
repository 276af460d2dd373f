#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Made-up sessions: healthy ones that look like loops, and loops that hide. A transcript on standard output.

    tests/loops/shapes.py [--list] [NAME...]

Deterministic. Each shape is a function; its row below says what is wanted of it: QUIET (no alert of severity high),
NOTICE (quiet, but a notice), LOOP (one of severity high, by one of these rules), or MISS: a loop, known to be missed, with
the reason. The session that counts is the shape's name; shapes of several sessions add "#N" to it."""
import json
import random
import sys

QUIET, NOTICE, LOOP, MISS = "quiet", "notice", "loop", "miss"
SHAPES = []


def shape(want, *rules):
    def add(function):
        SHAPES.append((function.__name__.replace("_", "-"), want, rules, function))
        return function
    return add


class Result:
    def __init__(self, text, err=False, rpc=False):
        self.text, self.err, self.rpc = text, err, rpc


def ok(text="ok"):
    return Result(text)


def bad(text):
    return Result(text, err=True)


class Play:
    """One agent at work: calls one after the other, with time to think between, or several at once."""

    def __init__(self, name, seed):
        self.name, self.session, self.agent = name, name, None
        self.random = random.Random(seed)
        self.now = 1000.0
        self.events, self.ids = [], 0
        self.meta = None
        self.sessions = 0

    def new_session(self):
        self.session = self.name if not self.sessions else f"{self.name}#{self.sessions}"
        self.sessions += 1

    def think(self, low=1.5, high=6.0):
        self.now += self.random.uniform(low, high) * 1000

    def send(self, at, sender, message):
        event = {"ts_ms": round(at, 3), "session": self.session, "from": sender, "msg": message}
        if self.agent:
            event["agent"] = self.agent
        self.events.append(event)

    def request(self, method, params, at):
        self.ids += 1
        if self.meta:
            params = {**params, "_meta": self.meta}
        self.send(at, "client", {"jsonrpc": "2.0", "id": self.ids, "method": method, "params": params})
        return self.ids

    def answer(self, ident, result, at):
        message = {"jsonrpc": "2.0", "id": ident}
        if result.rpc:
            message["error"] = {"code": -32603, "message": result.text}
        else:
            message["result"] = {"content": [{"type": "text", "text": result.text}], "isError": result.err}
        self.send(at, "server", message)

    def latency(self):
        return self.random.uniform(50, 600)

    def call(self, tool, arguments, result, latency=None):
        ident = self.request("tools/call", {"name": tool, "arguments": arguments}, self.now)
        self.now += self.latency() if latency is None else latency
        self.answer(ident, result, self.now)

    def step(self, tool, arguments, result, latency=None):
        self.think()
        self.call(tool, arguments, result, latency)

    def batch(self, calls):
        self.think()
        asked = []
        for i, (tool, arguments, result) in enumerate(calls):
            at = self.now + 3 * i
            asked.append((self.request("tools/call", {"name": tool, "arguments": arguments}, at), result, at))
        for ident, result, at in asked:
            done = at + 3 * len(calls) + self.latency()
            self.answer(ident, result, done)
            self.now = max(self.now, done)

    def warm_up(self, n=3):
        for i in range(n):
            self.step("read_file", {"path": f"src/{self.name}/{i}.c"}, ok(f"the text of {self.name} {i}"))

    def word(self, n=7):
        return "".join(self.random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(n))

    def hexed(self, n=32):
        return "".join(self.random.choice("0123456789abcdef") for _ in range(n))


# Healthy: they look like loops.


@shape(QUIET)
def poll_until_done(p):
    for _ in range(9):
        p.step("get_job_status", {"id": 7}, ok("running"))
    p.step("get_job_status", {"id": 7}, ok("done"))


@shape(QUIET)
def poll_two_jobs_in_turns(p):
    for _ in range(8):
        p.step("get_job_status", {"id": 1}, ok("running 1"))
        p.step("get_job_status", {"id": 2}, ok("running 2"))


@shape(QUIET)
def sleep_then_poll(p):
    for _ in range(8):
        p.step("bash", {"command": "sleep 5"}, ok(""), 5000)
        p.step("deploy_status", {}, ok("pending"))
    p.step("deploy_status", {}, ok("live"))


@shape(QUIET)
def read_a_stream(p):
    for i in range(50):
        p.step("read_output", {"terminal": 1}, ok(f"bytes {p.word(40)}"))


@shape(NOTICE)
def cron_tick(p):
    for _ in range(60):
        p.now += p.random.uniform(58000, 62000)
        p.call("exec", {"command": "check_mail"}, ok("no mail"))


@shape(NOTICE)
def cron_tick_after_a_model_thought(p):
    start = p.now
    for i in range(45):
        p.now = start + i * 60000 + p.random.uniform(1000, 9000)
        p.call("list_messages", {"folder": "inbox"}, ok("no new messages"))


@shape(QUIET)
def heartbeat_over_a_day(p):
    for _ in range(48):
        p.now += p.random.uniform(1700000, 1900000)
        p.call("check_queue", {}, ok("empty"))


@shape(NOTICE)
def two_hundred_pages(p):
    for i in range(200):
        p.step("list_commits", {"perPage": 30, "page": i + 1}, ok(f"page {p.word(30)}"))


@shape(NOTICE)
def two_hundred_pages_by_cursor(p):
    cursor = ""
    for _ in range(200):
        after, cursor = cursor, p.hexed(24)
        p.step("list_items", {"after": after}, ok(f'{{"items":"{p.word(30)}","next":"{cursor}"}}'))


@shape(QUIET)
def windows_of_one_file(p):
    for i in range(40):
        p.step("read_file", {"path": "big.log", "limit": 200, "offset": 200 * i}, ok(p.word(60)))


@shape(QUIET)
def chapters_page_by_page(p):
    for chapter in range(1, 4):
        for i in range(40):
            p.step("read_file", {"path": f"chapter{chapter}.txt", "offset": 100 * i, "limit": 100}, ok(p.word(60)))


@shape(QUIET)
def file_read_again_after_a_while(p):
    text = [p.word(50) for _ in range(10)]
    for _ in range(2):
        for i in range(10):
            p.step("read_file", {"path": "spec.md", "offset": 50 * i}, ok(text[i]))
        for i in range(4):
            p.step("edit_file", {"path": "spec.c", "old": p.word(), "new": p.word()}, ok("edited"))


@shape(QUIET)
def two_files_read_side_by_side(p):
    for i in range(20):
        for name in ("left", "right"):
            p.step("read_file", {"path": f"/home/user/project/{name}.c", "offset": 40 * i, "limit": 40},
                   ok(p.word(60)))


@shape(QUIET)
def inserts_with_one_answer(p):
    for i in range(40):
        p.step("execute_sql", {"query": f"INSERT INTO people VALUES ({i}, '{p.word(9)}', '{p.word(6)}')"},
               ok("rows: []"))


@shape(QUIET)
def records_updated_one_by_one(p):
    for i in range(12):
        p.step("update_record", {"table": "employees", "id": 100 + i, "field": "department",
                                 "value": p.random.choice(["Sales", "Legal", "Support"])}, ok("1 row updated"))


@shape(QUIET)
def documents_from_a_template(p):
    for doc in range(8):
        p.step("create_document", {"name": f"doc{doc}"}, ok(f"created doc{doc}"))
        for i in range(6):
            p.step("add_paragraph", {"name": f"doc{doc}", "text": f"part {i} {p.word()}"}, ok("added"))
        p.step("add_table", {"name": f"doc{doc}"}, ok("added a table"))
        p.step("format_table", {"name": f"doc{doc}"}, ok("formatted"))


@shape(QUIET)
def every_tool_acknowledges_alike(p):
    for i in range(4):
        p.step("create_node", {"id": i, "label": p.word()}, ok("ok"))
        p.step("set_color", {"id": i, "color": p.word(5)}, ok("ok"))
        p.step("move_node", {"id": i, "x": 40 * i, "y": 7}, ok("ok"))
        p.step("list_nodes", {"under": i}, ok(p.word(20)))


@shape(QUIET)
def blocks_appended_with_one_answer(p):
    for _ in range(21):
        p.step("append_block", {"page": "a1", "text": f"{p.word()} {p.word()} {p.word()}"}, ok('{"success":true}'))


@shape(QUIET)
def edit_and_build_until_it_works(p):
    for i in range(10):
        p.step("edit_file", {"path": "main.c", "old": p.word(), "new": p.word()}, ok("edited"))
        p.step("bash", {"command": "make"}, bad(f"Error: main.c:{10 + i}: {p.word(20)}"))
    p.step("bash", {"command": "make"}, ok("built"))


@shape(QUIET)
def edit_and_the_same_failing_test(p):
    for _ in range(3):
        p.step("edit_file", {"path": "main.c", "old": p.word(), "new": p.word()}, ok("edited"))
        p.step("bash", {"command": "make test"}, bad("Error: test_three failed"))
    p.step("edit_file", {"path": "main.c", "old": p.word(), "new": p.word()}, ok("edited"))
    p.step("bash", {"command": "make test"}, ok("all passed"))


@shape(QUIET)
def edit_and_status(p):
    for i in range(8):
        p.step("edit_file", {"path": f"{i}.c", "old": p.word(), "new": p.word()}, ok("edited"))
        p.step("git_status", {}, ok(f"changed: {i + 1} files"))


@shape(QUIET)
def parallel_reads(p):
    for turn in range(3):
        p.batch([("read_file", {"path": f"src/{turn}_{i}.c"}, ok(p.word(40))) for i in range(12)])


@shape(QUIET)
def one_batch_of_thirty_reads(p):
    p.batch([("read_file", {"path": f"src/{i}.c"}, ok(p.word(40))) for i in range(30)])
    p.batch([("search", {"q": p.word()}, ok("no results")) for _ in range(10)])


@shape(QUIET)
def batch_fails_then_the_right_way(p):
    p.batch([("create_directory", {"path": f"/no/{i}"}, bad("Error: parent does not exist")) for i in range(12)])
    p.step("create_directory", {"path": "/no"}, ok("created"))
    p.batch([("create_directory", {"path": f"/no/{i}"}, ok(f"created {i}")) for i in range(12)])


@shape(QUIET)
def fan_out_on_a_failing_server(p):
    for _ in range(3):
        p.batch([("fetch_page", {"url": f"https://a.example/{i}"}, bad("503 Service Unavailable"))
                 for i in range(8)])
    p.batch([("fetch_page", {"url": f"https://a.example/{i}"}, ok(p.word(40))) for i in range(8)])


@shape(QUIET)
def back_off_until_it_works(p):
    wait = 1000
    for _ in range(5):
        p.call("fetch", {"url": "https://b.example"}, bad("Error: 503 Service Unavailable"), 80)
        p.now += wait
        wait *= 2
    p.call("fetch", {"url": "https://b.example"}, ok("hello"))


@shape(QUIET)
def rate_limit_obeyed(p):
    for wait in (2000, 4000, 9000, 20000):
        p.call("create_issue", {"title": "a", "body": "b"}, bad("429 Too Many Requests"), 60)
        p.now += wait
    p.call("create_issue", {"title": "a", "body": "b"}, ok("#17"))


@shape(QUIET)
def quick_retries_of_a_client(p):
    for tool in ("fetch", "search", "fetch"):
        args = {"q": p.word()}
        for gap in (20, 60):
            p.call(tool, args, bad("Error: connection reset"), 30)
            p.now += gap
        p.call(tool, args, ok(p.word(30)))
        p.think()


@shape(QUIET)
def two_failures_then_success(p):
    for i in range(4):
        args = {"city": p.word()}
        p.step("get_weather", args, bad("Error: 503"))
        p.step("get_weather", args, bad("Error: 503"))
        p.step("get_weather", args, ok(f"{i} degrees"))


@shape(QUIET)
def wanted_errors(p):
    for i in range(10):
        p.step("execute_sql", {"query": f"SELECT must_fail({i}, '{p.word()}')"}, bad(f"Error: {p.word(20)}"))


@shape(QUIET)
def arguments_mended(p):
    p.step("add_rows", {"rows": "1"}, bad("Error: rows must be an array"))
    p.step("add_rows", {"rows": [1]}, bad("Error: rows[0] must be an object"))
    p.step("add_rows", {"rows": [{"a": 1}]}, bad("Error: unknown column a"))
    p.step("add_rows", {"rows": [{"id": 1}]}, ok("1 row"))


@shape(QUIET)
def click_and_look(p):
    for i in range(15):
        p.step("browser_click", {"ref": "next"}, ok("clicked"))
        p.step("browser_snapshot", {}, ok(f"page {i} {p.word(40)}"))


@shape(QUIET)
def key_pressed_eight_times(p):
    for _ in range(8):
        p.step("press_key", {"key": "ArrowDown"}, ok("pressed"))
    p.step("browser_snapshot", {}, ok(p.word(40)))


@shape(QUIET)
def snapshots_of_a_changing_page(p):
    for _ in range(20):
        p.step("take_snapshot", {}, ok(p.word(60)))


@shape(QUIET)
def searches_without_a_hit_then_one(p):
    for _ in range(6):
        p.step("search_code", {"q": p.word()}, ok("No results"))
    p.step("search_code", {"q": p.word()}, ok("main.c:3"))


@shape(QUIET)
def empty_days_of_a_calendar(p):
    for day in range(1, 12):
        p.step("list_events", {"date": f"2025-03-{day:02d}"}, ok("[]"))


@shape(QUIET)
def status_spread_over_work(p):
    for i in range(12):
        p.step("git_status", {}, ok("clean"))
        for _ in range(4):
            p.step("read_file", {"path": f"{p.word()}.c"}, ok(p.word(40)))


@shape(QUIET)
def one_file_looked_up_now_and_then(p):
    for _ in range(8):
        p.step("read_file", {"path": "README.md"}, ok("the readme"))
        for _ in range(5):
            p.step("edit_file", {"path": f"{p.word()}.c", "old": p.word(), "new": p.word()}, ok(p.word()))


@shape(QUIET)
def parallel_sessions_of_one_agent(p):
    """Two of them, which begin alike and then poll jobs of their own."""
    p.agent = p.name
    names = (p.name, p.name + "#1")
    for name in names:
        p.session = name
        p.step("list_projects", {}, ok("a, b"))
        p.step("git_status", {}, ok("clean"))
    for i in range(8):
        for n, name in enumerate(names):
            p.session = name
            p.step("read_file", {"path": f"{n}/{i}.c"}, ok(p.word(40)))
            if i % 2:
                p.step("get_job_status", {"id": n}, ok("running"))


@shape(QUIET)
def run_again_on_the_same_file(p):
    """The same work, once more, by an agent that was started again: it reads from the start."""
    p.agent = p.name
    for _ in range(3):
        p.new_session()
        p.now += 5_000
        for window in range(30):
            p.step("read_file", {"path": "log.txt", "offset": 200 * window, "limit": 200}, ok(p.word(40)))


@shape(QUIET)
def driver_starts_the_agent_for_each_file(p):
    p.agent = p.name
    for i in range(8):
        p.new_session()
        p.step("list_directory", {"path": "."}, ok("a b c"))
        p.step("read_file", {"path": f"{i}.c"}, ok(p.word(40)))
        p.step("write_file", {"path": f"{i}.c", "text": p.word()}, ok("written"))


@shape(QUIET)
def new_session_for_each_different_call(p):
    p.agent = p.name
    for _ in range(30):
        p.new_session()
        p.step("read_file", {"path": f"{p.word()}.c"}, ok(p.word(40)))


@shape(QUIET)
def lists_asked_again_each_turn(p):
    for _ in range(20):
        p.think()
        ident = p.request("tools/list", {}, p.now)
        p.now += 30
        p.send(p.now, "server", {"jsonrpc": "2.0", "id": ident, "result": {"tools": [{"name": "search",
               "inputSchema": {"type": "object"}}]}})
        p.call("search", {"q": p.word()}, ok(p.word(30)))


@shape(QUIET)
def files_read_again_at_once(p):
    text = [p.word(40) for _ in range(15)]
    for _ in range(2):
        for i in range(15):
            p.step("read_file", {"path": f"{'abcdefghijklmno'[i]}.c"}, ok(text[i]))


@shape(QUIET)
def thoughts_between(p):
    for _ in range(15):
        p.step("think", {"thought": p.word(60)}, ok(""))
        p.step("book_seat", {"seat": p.word(3)}, ok(p.word(10)))


@shape(QUIET)
def agents_started_for_a_plan(p):
    for turn in range(4):
        p.batch([("task", {"prompt": f"look at {p.word()}"}, ok(p.word(50))) for _ in range(8)])


# Loops: they hide.


@shape(LOOP, "same_call_same_result")
def same_grep(p):
    p.warm_up()
    for _ in range(30):
        p.step("grep", {"pattern": "main"}, ok("main.c:1"))


@shape(LOOP, "same_call_same_error")
def failing_install(p):
    p.warm_up()
    for _ in range(10):
        p.step("bash", {"command": "npm install"}, bad("Error: ERESOLVE"), p.random.uniform(20000, 60000))


@shape(LOOP, "same_call_same_error", "same_error")
def argument_cut_off(p):
    p.warm_up()
    for _ in range(8):
        p.step("execute_sql", {}, ok('[{"type":"text","text":"Error executing tool execute_sql: 1 validation error: '
                                     'query is required"}]'))


@shape(LOOP, "same_call_same_result")
def keys_in_another_order(p):
    p.warm_up()
    for i in range(8):
        args = [("path", "."), ("pattern", "x"), ("max", 10)]
        p.random.shuffle(args)
        p.step("find_files", {**dict(args), "max": 10 if i % 2 else 10.0}, ok("none"))


@shape(LOOP, "constant_answer")
def every_tool_says_the_same(p):
    p.warm_up()
    for i in range(20):
        p.step(p.random.choice(["Bash", "Glob", "Read"]), {"n": i % 3}, ok("Warmup"))


@shape(LOOP, "no_progress_read")
def other_prefixes(p):
    p.warm_up()
    for _ in range(20):
        p.step("resource_list", {"prefix": p.word(5)}, ok("[]"))


@shape(LOOP, "no_progress_read")
def beyond_the_last_page(p):
    p.warm_up()
    for i in range(30):
        p.step("list_issues", {"state": "open", "page": 40 + i}, ok("[]"))


@shape(LOOP, "cycle")
def two_in_turns(p):
    p.warm_up()
    for _ in range(10):
        p.step("move_up", {"by": 1}, ok("at the top"))
        p.step("move_down", {"by": 1}, ok("at the bottom"))


@shape(LOOP, "cycle")
def period_of_five(p):
    p.warm_up()
    for _ in range(8):
        for i in range(5):
            p.step(f"tool_{'abcde'[i]}", {"x": i}, ok(f"answer {i}"))


@shape(LOOP, "cycle")
def period_of_eight(p):
    p.warm_up()
    for _ in range(5):
        for i in range(8):
            p.step(f"tool_{'abcdefgh'[i]}", {"x": i}, ok(f"answer {i}"))


@shape(LOOP, "cycle")
def the_same_batch_each_round(p):
    p.warm_up()
    for _ in range(6):
        p.batch([("read_file", {"path": f"{i}.c"}, ok(f"text {i}")) for i in range(5)])


@shape(LOOP, "standstill", "same_call_same_result_window", "same_call_same_result")
def six_calls_in_any_order(p):
    p.warm_up()
    for _ in range(60):
        i = p.random.randrange(6)
        p.step(f"look_{'abcdef'[i]}", {"x": i}, ok(f"answer {i}"))


@shape(LOOP, "same_error_window")
def failing_test_and_another_file(p):
    p.warm_up()
    for _ in range(12):
        p.step("bash", {"command": "make test"}, bad("Error: test_three failed"))
        p.step("read_file", {"path": f"{p.word()}.c"}, ok(p.word(40)))


@shape(LOOP, "same_error_window")
def failing_test_far_apart(p):
    p.warm_up()
    for _ in range(12):
        p.step("bash", {"command": "make test"}, bad("Error: test_three failed"))
        for _ in range(5):
            p.step("read_file", {"path": f"{p.word()}.c"}, ok(p.word(40)))


@shape(LOOP, "same_call_same_result_window")
def noise_between(p):
    p.warm_up()
    for _ in range(12):
        p.step("read_file", {"path": "main.c"}, ok("the same text"))
        p.step("think", {"thought": p.word(40)}, ok(p.word(4)))


@shape(LOOP, "same_call_volatile_result")
def message_sent_again(p):
    p.warm_up()
    for _ in range(20):
        p.step("message_send", {"to": "u1", "text": "hello"}, ok(f'{{"messageId":"{p.hexed()}"}}'))


@shape(LOOP, "same_call_volatile_result")
def times_and_ids_in_the_answer(p):
    p.warm_up()
    for i in range(15):
        p.step("get_report", {"id": 4}, ok(f'{{"at":"2025-01-02T03:{i:02d}:11.5Z","requestId":"{p.word()}",'
                                           f'"took":"{i + 3} ms","rows":[]}}'))


@shape(LOOP, "same_error", "same_call_same_error")
def request_ids_in_the_error(p):
    p.warm_up()
    for _ in range(10):
        p.step("fetch", {"url": p.word()}, bad(f"Error: upstream failed (request {p.hexed(8)}-{p.hexed(4)}-"
                                               f"{p.hexed(4)}-{p.hexed(4)}-{p.hexed(12)})"))


@shape(LOOP, "same_error")
def command_with_one_more_copy(p):
    p.warm_up()
    for i in range(1, 20):
        p.step("bash", {"command": " && ".join(["grep -rn main src"] * i)}, bad("Error: argument list too long"))


@shape(LOOP, "near_duplicate")
def one_throwaway_word(p):
    p.warm_up()
    for _ in range(20):
        p.step("bash", {"command": "cd /srv/app && ./run --config prod.yaml --verbose --out /tmp/log "
                                   f"--note {p.word()} && tail -n 3 /tmp/log && echo done"}, ok("no change"))


@shape(LOOP, "near_duplicate_circling")
def words_in_turns_and_a_counter(p):
    p.warm_up()
    words = [p.word() for _ in range(7)]
    for i in range(60):
        p.step("bash", {"command": f"cd /srv/app && ./run --test {p.random.choice(words)} --all && "
                                   f"cat /tmp/result.txt{i}"}, ok(p.word(40)))


@shape(LOOP, "paging_wraps")
def pages_over_and_over(p):
    for _ in range(3):
        for i in range(30):
            p.step("list_rows", {"limit": 50, "offset": 50 * i, "table": "t"}, ok(f"rows {i}"))


@shape(LOOP, "paging_wraps")
def windows_shifted_by_half(p):
    for turn in range(3):
        for i in range(40):
            p.step("read_file", {"limit": 40, "offset": 40 * i + 20 * turn, "path": "a.c"}, ok(p.word(40)))


@shape(LOOP, "stuck_cursor")
def cursor_does_not_move(p):
    cursor = None
    for _ in range(10):
        ident = p.request("tools/list", {"cursor": cursor} if cursor else {}, p.now)
        p.now += 30
        cursor = "p2"
        p.send(p.now, "server", {"jsonrpc": "2.0", "id": ident, "result": {"tools": [], "nextCursor": cursor}})
        p.now += 5


@shape(LOOP, "same_call_same_result")
def page_asked_at_a_programs_pace(p):
    p.warm_up()
    for _ in range(25):
        p.now += p.random.uniform(1, 20)
        p.call("list_items", {"cursor": "8"}, ok("the same items"))


@shape(LOOP, "same_error")
def retry_storm(p):
    p.warm_up()
    for i in range(30):
        p.now += p.random.uniform(50, 300)
        p.call("create_issue", {"title": f"no {i} {p.word()}"}, bad("429 Too Many Requests"))


@shape(LOOP, "same_error", "constant_answer")
def dead_server(p):
    p.warm_up()
    for i in range(20):
        p.step(("query", "describe", "insert")[i % 3], {"of": p.word()}, Result("connection refused", rpc=True))


@shape(LOOP, "error_storm", "same_error_window")
def two_errors_in_turns(p):
    p.warm_up()
    for i in range(15):
        p.step("run_query", {"q": p.word(20)}, bad("Error: no such table" if i % 3 else "Error: syntax"))


@shape(LOOP, "spawn_storm")
def agents_without_end(p):
    for turn in range(20):
        p.batch([("task", {"prompt": f"go deeper {turn} {i} {p.word()}"}, ok(p.word(20))) for i in range(8)])
        p.now -= 2000


@shape(LOOP, "call_storm")
def storm_of_calls(p):
    for _ in range(200):
        p.now += p.random.uniform(200, 300)
        p.call("store_memory", {"text": p.word(30)}, ok(p.word(12)), 20)


@shape(LOOP, "fan_out")
def nobody_answers(p):
    for i in range(40):
        p.now += 1500
        p.request("tools/call", {"name": "crawl", "arguments": {"url": p.word()}}, p.now)


@shape(LOOP, "same_call_same_result")
def poll_without_end(p):
    for _ in range(40):
        p.step("get_job_status", {"id": 7}, ok("running"))


@shape(LOOP, "cycle", "same_call_same_result_window")
def sleep_and_poll_without_end(p):
    for _ in range(40):
        p.step("bash", {"command": "sleep 5"}, ok(""), 5000)
        p.step("deploy_status", {}, ok("pending"))


@shape(LOOP, "slow_same_result")
def one_call_a_minute_or_so(p):
    for _ in range(25):
        p.now += p.random.uniform(50000, 150000)
        p.call("query_board", {"board": 3}, ok("nothing to do"))


@shape(LOOP, "slow_same_result")
def one_failure_a_minute(p):
    for _ in range(30):
        p.now += 60000
        p.call("sync_data", {"to": "b"}, bad("Error: permission denied"))


@shape(LOOP, "same_call_same_result")
def new_session_for_each_equal_call(p):
    p.agent = p.name
    for _ in range(12):
        p.new_session()
        p.step("read_file", {"path": "a.c"}, ok("the same text"))


@shape(LOOP, "same_call_same_error", "same_error")
def new_session_for_each_failing_call(p):
    p.agent = p.name
    for i in range(12):
        p.new_session()
        p.step("query", {"q": "select 1"}, bad("Error: no such database"))


@shape(LOOP, "same_error_window", "same_call_same_result_window")
def new_session_for_each_call_with_noise(p):
    p.agent = p.name
    for i in range(16):
        p.new_session()
        p.step("run_tests", {"suite": "all"}, bad("Error: test_three failed"))
        p.new_session()
        p.step("read_file", {"path": f"{p.word()}.c"}, ok(p.word(40)))


@shape(LOOP, "cycle")
def agent_starts_over(p):
    p.agent = p.name
    for _ in range(8):
        p.new_session()
        for tool in ("list_tables", "describe_table", "explain", "count_rows"):
            p.step(tool, {"of": "orders"}, ok(f"{tool} says"))


@shape(LOOP, "cycle")
def two_servers_in_turns(p):
    p.agent = p.name
    for _ in range(10):
        p.session = p.name
        p.step("search_docs", {"q": "install"}, ok("see the wiki"))
        p.session = p.name + "#1"
        p.step("read_wiki", {"page": "install"}, ok("see the docs"))


@shape(LOOP, "cycle")
def three_servers_in_turns(p):
    p.agent = p.name
    for _ in range(10):
        for i, tool in enumerate(("search_docs", "read_wiki", "ask_chat")):
            p.session = p.name + (f"#{i}" if i else "")
            p.step(tool, {"q": "install"}, ok(f"ask the others, says {tool}"))


@shape(LOOP, "same_call_same_error")
def two_agents_in_one_session(p):
    """One of them loops; between its calls the other does four useful ones."""
    for _ in range(10):
        p.meta = {"thread_id": "a"}
        p.step("run_tests", {"suite": "all"}, bad("Error: test_three failed"))
        p.meta = {"thread_id": "b"}
        for _ in range(4):
            p.step("read_file", {"path": f"{p.word()}.c"}, ok(p.word(40)))


@shape(MISS, "its progress meter differs in each answer; polling looks the same")
def same_call_with_a_meter(p):
    p.warm_up()
    for i in range(6):
        p.step("run_bash", {"command": "wget -q ftp://h.example/a"}, ok(f"{p.word(3)} 1{i}% [{'=' * i}]"))


@shape(MISS, "many commands of a shell that bring the same look like writes with one answer")
def commands_rewritten_with_one_answer(p):
    p.warm_up()
    for _ in range(10):
        p.step("run_bash", {"command": f"{p.word()} -{p.word(2)} {p.word(9)} | {p.word()}"}, ok("(nothing)"))


@shape(MISS, "calls and answers all differ: a budget has to catch it")
def grinding(p):
    for _ in range(80):
        p.step("edit_file", {"path": f"{p.word()}.c", "old": p.word(), "new": p.word()}, ok(p.word(20)))


def plays(names):
    for index, (name, want, rules, function) in enumerate(SHAPES):
        if not names or name in names:
            play = Play(name, index)
            function(play)
            yield name, want, rules, play.events


def main():
    if sys.argv[1:2] == ["--list"]:
        for name, want, rules, _ in SHAPES:
            print(name, want, *rules)
        return
    for _, _, _, events in plays(sys.argv[1:]):
        for event in events:
            print(json.dumps(event, separators=(",", ":")))


if __name__ == "__main__":
    main()
