"""A critic as a service, with the standard library alone: finds shouting. Run it with `python3 service.py`.

Takes only what is signed with the key in SIGNING_KEY, and answers a repeated request from what it knows.
"""

import hashlib
import hmac
import json
import os
import time
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = os.environ.get("SIGNING_KEY", "").encode()
# Clocks differ; what was overheard is worth nothing after this.
PATIENCE_S = 300
# Content, context and findings together have less.
MAX_BYTES = 2_000_000
# Answers that are remembered, the oldest is forgotten first.
REMEMBERED = 10_000

answers = OrderedDict()


def is_signed(headers, body):
    timestamp = headers.get("tribunal-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(time.time() - int(timestamp)) > PATIENCE_S:
        return False
    expected = "v1=" + hmac.new(KEY, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), headers.get("tribunal-signature", "").encode())


def judge(content):
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    letters = [letter for letter in text if letter.isalpha()]
    share = sum(letter.isupper() for letter in letters) / max(1, len(letters))
    violations = [{"code": "shouting", "message": "mostly capital letters"}] if share > 0.5 else []
    return {"severity": share, "violations": violations}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        size = self.headers.get("content-length", "")
        if not (size.isascii() and size.isdigit() and int(size) <= MAX_BYTES):
            self.close_connection = True
            return self.answer(413, {"error": "too large, or of no stated length"})
        body = self.rfile.read(int(size))
        if not is_signed(self.headers, body):
            return self.answer(401, {"error": "not signed by whom I know, or too long ago"})
        try:
            request = json.loads(body)
            content, key = request["content"], str(request["idempotencyKey"])
        except (ValueError, KeyError, TypeError):
            return self.answer(400, {"error": "content and idempotencyKey are needed"})
        finding = answers.get(key) or judge(content)
        answers[key] = finding
        if len(answers) > REMEMBERED:
            answers.popitem(last=False)
        return self.answer(200, finding)

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Lines of requests would tell whose content was judged."""


if __name__ == "__main__":
    if not KEY:
        raise SystemExit("SIGNING_KEY is not set: it is the secret that the plan names under signWith")
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}/judge", flush=True)
    server.serve_forever()
