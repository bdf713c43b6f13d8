"""A presigned URL by botocore, whose clock is so many seconds ahead.

presign.py method url ahead expires
"""

import datetime
import os
import sys

import botocore.auth
import botocore.awsrequest
import botocore.credentials

method, url, ahead, expires = sys.argv[1:]
real = datetime.datetime


class Clock(real):
    @classmethod
    def utcnow(cls):
        return real.utcnow() + datetime.timedelta(seconds=int(ahead))


class Module:
    datetime = Clock


botocore.auth.datetime = Module
request = botocore.awsrequest.AWSRequest(method, url)
botocore.auth.S3SigV4QueryAuth(
    botocore.credentials.Credentials(os.environ['AWS_ACCESS_KEY_ID'],
                                     os.environ['AWS_SECRET_ACCESS_KEY']),
    's3', 'eu-west-1', expires=int(expires)).add_auth(request)
print(request.url)
