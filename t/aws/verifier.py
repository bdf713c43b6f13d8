"""An AWS that is strict about signatures, in front of one that is not.

verifier.py port backend-port

Each request is signed again by botocore, from what has arrived, and passed on
where the signatures are equal.  Backend 0: the answer is the request itself,
as JSON.  Credentials are those of the environment.
"""

import base64
import datetime
import email.parser
import email.policy
import hashlib
import http.client
import http.server
import json
import os
import re
import sys
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

KEYS = botocore.credentials.Credentials(
    os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_SECRET_ACCESS_KEY'],
    os.environ.get('AWS_SESSION_TOKEN'))
NONE = hashlib.sha256(b'').hexdigest()


class Refused(Exception):
    pass


def instant(text):
    return datetime.datetime.strptime(text, '%Y%m%dT%H%M%SZ')


def need(condition, reason):
    if not condition:
        raise Refused(reason)


def scope(credential, date):
    """Region and service of a credential, which is ours and of that day."""
    name, day, region, service, end = credential.split('/')
    need(name == KEYS.access_key, 'key id')
    need(day == date[:8] and end == 'aws4_request', 'scope')
    return region, service


def again(auth, method, url, headers, date, body=b''):
    """The signature of what has arrived."""
    request = botocore.awsrequest.AWSRequest(method, url, headers=headers,
                                             data=body)
    request.context['timestamp'] = date
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return auth.signature(text, request)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def any(self):
        self.path = self.requestline.split()[1]     # "//" as it is
        length = int(self.headers.get('Content-Length', 0))
        body = self.rfile.read(length)

        try:
            self.verify(body)
        except (Refused, KeyError, TypeError, ValueError) as e:
            self.answer(403, {'Content-Type': 'text/plain'},
                        ('signature: %r\n' % e).encode())
            return

        if BACKEND:
            self.answer(*self.forward(body))
        else:
            self.answer(200, {'Content-Type': 'application/json'},
                        self.seen(body))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = any

    def verify(self, body):
        path, _, query = self.path.partition('?')
        args = urllib.parse.parse_qsl(query, True, strict_parsing=bool(query))

        if 'Authorization' in self.headers:
            need('X-Amz-Signature' not in dict(args), 'signed twice')
            self.verify_fields(path, query, body)
        elif self.headers.get_content_type() == 'multipart/form-data':
            self.verify_form(path, body)
        else:
            self.verify_args(path, query, args)

    def signed(self, names):
        """The signed headers; all of x-amz- and host have to be."""
        need(names == sorted(set(names)) and 'host' in names, 'names')
        for name in self.headers.keys():
            need(name.lower() in names
                 or not name.lower().startswith('x-amz-'), name)
        return {n: ','.join(self.headers.get_all(n)) for n in names}

    def url(self, path, query):
        return 'http://%s%s%s' % (self.headers['Host'], path,
                                  '?' + query if query else '')

    def verify_fields(self, path, query, body):
        field = self.headers['Authorization']
        m = re.fullmatch(r'AWS4-HMAC-SHA256 Credential=(\S+), '
                         r'SignedHeaders=(\S+), Signature=([0-9a-f]{64})',
                         field)
        need(m, 'Authorization')
        date = self.headers['X-Amz-Date']
        region, service = scope(m[1], date)
        late = abs(datetime.datetime.utcnow() - instant(date))
        need(late < datetime.timedelta(minutes=15), 'skew')

        payload = self.headers['X-Amz-Content-SHA256']
        need(payload in ('UNSIGNED-PAYLOAD', hashlib.sha256(body).hexdigest()),
             'payload')
        need(payload != 'UNSIGNED-PAYLOAD' or service == 's3', 'unsigned')
        need(self.headers.get('X-Amz-Security-Token') == KEYS.token, 'token')

        if service == 's3':
            auth = botocore.auth.S3SigV4Auth(KEYS, service, region)
            path = urllib.parse.quote(urllib.parse.unquote_to_bytes(path),
                                      safe='/~')
        else:
            auth = botocore.auth.SigV4Auth(KEYS, service, region)

        need(again(auth, self.command, self.url(path, query),
                   self.signed(m[2].split(';')), date, body) == m[3],
             'signature')

    def verify_args(self, path, query, args):
        given = dict(args)
        need(len(given) == len(args), 'an argument twice')
        need(given['X-Amz-Algorithm'] == 'AWS4-HMAC-SHA256', 'algorithm')
        need(given.get('X-Amz-Security-Token') == KEYS.token, 'token')
        date = given['X-Amz-Date']
        region, service = scope(given['X-Amz-Credential'], date)
        need(service == 's3', 'service')

        lasts = int(given['X-Amz-Expires'])
        age = (datetime.datetime.utcnow() - instant(date)).total_seconds()
        need(-900 < age < lasts and 0 < lasts <= 604800, 'time')

        # the signature leaves the query as it came

        parts = [a for a in query.split('&')
                 if not a.startswith('X-Amz-Signature=')]
        auth = botocore.auth.S3SigV4QueryAuth(KEYS, service, region, lasts)
        path = urllib.parse.quote(urllib.parse.unquote_to_bytes(path),
                                  safe='/~')
        need(again(auth, self.command, self.url(path, '&'.join(parts)),
                   self.signed(given['X-Amz-SignedHeaders'].split(';')), date)
             == given['X-Amz-Signature'], 'signature')

    def verify_form(self, path, body):
        head = ('Content-Type: %s\r\n\r\n' % self.headers['Content-Type'])
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
            head.encode() + body)
        fields = {}
        for part in form.iter_parts():
            name = part.get_param('name', header='content-disposition')
            fields[name.lower()] = part.get_payload(decode=True)
        data = fields.pop('file')
        fields = {n: v.decode() for n, v in fields.items()}

        date = fields['x-amz-date']
        region, service = scope(fields['x-amz-credential'], date)
        auth = botocore.auth.S3SigV4PostAuth(KEYS, service, region)
        request = botocore.awsrequest.AWSRequest('POST', '/')
        request.context['timestamp'] = date
        need(auth.signature(fields['policy'], request)
             == fields['x-amz-signature'], 'signature')

        policy = json.loads(base64.b64decode(fields['policy']))
        until = datetime.datetime.strptime(policy['expiration'],
                                           '%Y-%m-%dT%H:%M:%SZ')
        need(datetime.datetime.utcnow() < until, 'expired')
        need(fields.get('x-amz-security-token') == KEYS.token, 'token')
        self.conditions(policy['conditions'], fields, len(data),
                        path.strip('/'))

    def conditions(self, conditions, fields, size, bucket):
        left = dict(fields, bucket=bucket)
        for c in conditions:
            if isinstance(c, dict):
                (name, value), = c.items()
                need(left.pop(name.lower()) == value, name)
            elif c[0] == 'content-length-range':
                need(c[1] <= size <= c[2], 'length')
            elif c[0] == 'starts-with':
                need(left.pop(c[1][1:].lower()).startswith(c[2]), c[1])
            else:
                raise Refused(c)
        need(set(left) <= {'policy', 'x-amz-signature'}, sorted(left))

    def forward(self, body):
        headers = {n: v for n, v in self.headers.items()
                   if n.lower() not in ('connection', 'accept-encoding')}
        backend = http.client.HTTPConnection('127.0.0.1', BACKEND)
        backend.request(self.command, self.path, body, headers)
        answer = backend.getresponse()
        content = answer.read()
        backend.close()
        return answer.status, {n: v for n, v in answer.getheaders() if
                               n.lower() not in ('connection', 'date',
                                                 'transfer-encoding',
                                                 'content-length')}, content

    def seen(self, body):
        return json.dumps({'method': self.command, 'path': self.path,
                           'headers': {n.lower(): v for n, v in
                                       self.headers.items()},
                           'body': body.decode()}).encode()

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD' and status != 304:
            self.wfile.write(body)


BACKEND = int(sys.argv[2])

if __name__ == '__main__':
    http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])),
                                    Handler).serve_forever()
