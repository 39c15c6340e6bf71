"""Requests over HTTP, byte for byte."""

POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
ASK = b"GET /here HTTP/1.1\r\nHost: localhost\r\n\r\n"
