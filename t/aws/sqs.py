"""A queue that speaks SQS's JSON protocol, with redelivery.

sqs.py port

A message that was received is hidden for VisibilityTimeout seconds, and comes
again unless it is deleted until then.
"""

import hashlib
import http.server
import json
import sys
import threading
import time
import uuid

lock = threading.Lock()
messages = []


def send(request):
    body = request['MessageBody']
    message = {'MessageId': str(uuid.uuid4()), 'Body': body, 'hidden': 0,
               'received': 0,
               'MD5OfBody': hashlib.md5(body.encode()).hexdigest()}
    messages.append(message)
    return {'MessageId': message['MessageId'],
            'MD5OfMessageBody': message['MD5OfBody']}


def receive(request):
    now = time.monotonic()
    for message in messages:
        if message['hidden'] > now:
            continue
        message['hidden'] = now + request.get('VisibilityTimeout', 30)
        message['received'] += 1
        message['ReceiptHandle'] = str(uuid.uuid4())
        return {'Messages': [{
            'MessageId': message['MessageId'], 'Body': message['Body'],
            'MD5OfBody': message['MD5OfBody'],
            'ReceiptHandle': message['ReceiptHandle'],
            'Attributes': {'ApproximateReceiveCount':
                           str(message['received'])}}]}
    return {}


def change(request):
    for message in messages:
        if message.get('ReceiptHandle') == request['ReceiptHandle']:
            message['hidden'] = (time.monotonic()
                                 + request['VisibilityTimeout'])
    return {}


def delete(request):
    messages[:] = [m for m in messages
                   if m.get('ReceiptHandle') != request['ReceiptHandle']]
    return {}


VERBS = {'AmazonSQS.SendMessage': send, 'AmazonSQS.ReceiveMessage': receive,
         'AmazonSQS.ChangeMessageVisibility': change,
         'AmazonSQS.DeleteMessage': delete}


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))

        try:
            with lock:
                answer = VERBS[self.headers['X-Amz-Target']](json.loads(body))
            status = 200
        except (KeyError, TypeError, ValueError) as e:
            status, answer = 400, {'__type': 'InvalidRequest', 'message':
                                   repr(e)}

        answer = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/x-amz-json-1.0')
        self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])),
                                Handler).serve_forever()
