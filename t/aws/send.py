"""A request to AWS as botocore makes it.

send.py service method url body [name=value ...]
"""

import os
import sys
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials

service, method, url, body = sys.argv[1:5]
headers = dict(a.split('=', 1) for a in sys.argv[5:])
keys = botocore.credentials.Credentials(os.environ['AWS_ACCESS_KEY_ID'],
                                        os.environ['AWS_SECRET_ACCESS_KEY'])

request = botocore.awsrequest.AWSRequest(method, url, headers=headers,
                                         data=body.encode())
kind = botocore.auth.S3SigV4Auth if service == 's3' \
    else botocore.auth.SigV4Auth

signer = kind(keys, service, 'eu-west-1')
signer.add_auth(request)
if service != 's3':
    request.headers['X-Amz-Content-SHA256'] = signer.payload(request)
    del request.headers['Authorization'], request.headers['X-Amz-Date']
    signer.add_auth(request)

with urllib.request.urlopen(urllib.request.Request(
        url, body.encode(), dict(request.headers.items()),
        method=method)) as answer:
    sys.stdout.write(answer.read().decode())
