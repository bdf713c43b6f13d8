"""A PostgreSQL server behind TLS whose records are as large as they may be.

    tls_proxy.py port server-port certificate key

PostgreSQL itself sends records of 8 kB at most; poolers and hosted services
need not.
"""

import select
import socket
import ssl
import sys
import threading


def main(port, server, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    listener = socket.create_server(("127.0.0.1", int(port)), backlog=64)

    while True:
        client, _ = listener.accept()
        start(serve, client, int(server), context)


def start(target, *args):
    threading.Thread(target=target, args=args, daemon=True).start()


def serve(client, port, context):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    if len(client.recv(8)) < 8:            # SSLRequest
        return

    client.sendall(b"S")

    try:
        tls = context.wrap_socket(client, server_side=True)
        server = socket.create_connection(("127.0.0.1", port))
        start(forward, tls, server)
        answer(server, tls)
    except OSError:
        pass


def forward(tls, server):
    try:
        while data := tls.recv(65536):
            server.sendall(data)

        server.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def answer(server, tls):
    """What comes within 5 ms is sent at once."""

    while data := server.recv(65536):
        while len(data) < 65536 and select.select([server], [], [], 0.005)[0]:
            more = server.recv(65536)

            if not more:
                break

            data += more

        tls.sendall(data)

    tls.close()


main(*sys.argv[1:])
