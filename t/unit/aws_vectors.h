
/*
 * The AWS Signature Version 4 test suite of Amazon Web Services, Inc., as data:
 * each case is its .req, .creq, .sts and the Authorization of its .authz.
 * Source: https://github.com/awslabs/aws-c-auth, and botocore's
 * tests/unit/auth/aws4_testsuite, Apache License 2.0.
 */

#ifndef _NGX_SCALE_AWS_VECTORS_H_INCLUDED_
#define _NGX_SCALE_AWS_VECTORS_H_INCLUDED_


typedef struct {
    const char  *name;
    const char  *request;
    const char  *canonical;
    const char  *text;
    const char  *authorization;
} vector_t;


static vector_t  vectors[] = {

    { "get-header-key-duplicate",
      "GET / HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "My-Header1:value2\n"
      "My-Header1:value2\n"
      "My-Header1:value1\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "my-header1:value2,value2,value1\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;my-header1;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "dc7f04a3abfde8d472b0ab1a418b741b7c67174dad1551b4117b15527fbe966"
      "c",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;my-header1;x-amz-date, Sig"
      "nature=c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f85825953"
      "1a5138ea" },

    { "get-header-value-multiline",
      "GET / HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "My-Header1:value1\n"
      "  value2\n"
      "     value3\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "my-header1:value1 value2 value3\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;my-header1;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "e99419459a677bc11de234014be3c4e72c1ea5b454ceb58b613061f5d7a162e"
      "8",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;my-header1;x-amz-date, Sig"
      "nature=cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a7"
      "3575eefd" },

    { "get-header-value-order",
      "GET / HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "My-Header1:value4\n"
      "My-Header1:value1\n"
      "My-Header1:value3\n"
      "My-Header1:value2\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "my-header1:value4,value1,value3,value2\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;my-header1;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "31ce73cd3f3d9f66977ad3dd957dc47af14df92fcd8509f59b349e9137c58b8"
      "6",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;my-header1;x-amz-date, Sig"
      "nature=08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f83"
      "0c755c01" },

    { "get-header-value-trim",
      "GET / HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "My-Header1: value1\n"
      "My-Header2: \"a   b   c\"\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "my-header1:value1\n"
      "my-header2:\"a b c\"\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;my-header1;my-header2;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "a726db9b0df21c14f559d0a978e563112acb1b9e05476f0a6a1c7d68f28605c"
      "7",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;my-header1;my-header2;x-am"
      "z-date, Signature=acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b36"
      "7055dee359757a9c736" },

    { "get-unreserved",
      "GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
      "stuvwxyz HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
      "wxyz\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "6a968768eefaa713e2a6b16b589a8ea192661f098f37349f4e2c0082757446f"
      "9",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=07ef"
      "7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },

    { "get-utf8",
      "GET /\341\210\264 HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/%E1%88%B4\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "2a0a97d02205e45ce2e994789806b19270cfbbb0921b278ccf58f5249ac4210"
      "2",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=8318"
      "018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },

    { "get-vanilla-empty-query-key",
      "GET /?Param1=value1 HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "Param1=value1\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "1e24db194ed7d0eec2de28d7369675a243488e08526e8c1c73571282f7c517a"
      "b",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=a67d"
      "582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb" },

    { "get-vanilla-query-order-encoded",
      "GET /?Param-3=Value3&Param=Value2&%E1%88%B4=Value1 HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z\n",

      "GET\n"
      "/\n"
      "%E1%88%B4=Value1&Param=Value2&Param-3=Value3\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "868294f5c38bd141c4972a373a76654f1418a8e4fc18b2e7903ae45e8ae0ec7"
      "1",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=371d"
      "3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac" },

    { "get-vanilla-query-order-key-case",
      "GET /?Param2=value2&Param1=value1 HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "Param1=value1&Param2=value2\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e"
      "0",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=b97d"
      "918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },

    { "get-vanilla-query-order-key",
      "GET /?Param1=value2&Param1=Value1 HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "Param1=Value1&Param1=value2\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "704b4cef673542d84cdff252633f065e8daeba5f168b77116f8b1bcaf3d38f8"
      "9",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=eedb"
      "c4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1" },

    { "get-vanilla-query-order-value",
      "GET /?Param1=value2&Param1=value1 HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "Param1=value1&Param1=value2\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "c968629d70850097a2d8781c9bf7edcb988b04cac14cca9be4acc3595f88460"
      "6",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=5772"
      "eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694" },

    { "get-vanilla-query-unreserved",
      "GET /?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq"
      "rstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
      "nopqrstuvwxyz HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
      "xyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"
      "tuvwxyz\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "c30d4703d9f799439be92736156d47ccfb2d879ddf56f5befa6d1d6aab97917"
      "7",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=9c3e"
      "54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },

    { "get-vanilla-query",
      "GET / HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e6"
      "3",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa0"
      "0fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },

    { "get-vanilla-utf8-query",
      "GET /?\341\210\264=bar HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "%E1%88%B4=bar\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "eb30c5bed55734080471a834cc727ae56beb50e5f39d1bff6d0d38cb192a707"
      "3",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=2cde"
      "c8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },

    { "get-vanilla-with-session-token",
      "GET / HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "x-amz-security-token:6e86291e8372ff2a2260956d9b8aae1d763fbf315f"
      "a00fa31553b73ebf194267\n"
      "\n"
      "host;x-amz-date;x-amz-security-token\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "067b36aa60031588cea4a4cde1f21215227a047690c72247f1d70b32fbbfad2"
      "b",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-"
      "token, Signature=07ec1639c89043aa0e3e2de82b96708f198cceab042d4a"
      "97044c66dd9f74e7f8" },

    { "get-vanilla",
      "GET / HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e6"
      "3",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa0"
      "0fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },

    { "get-relative-relative",
      "GET /example1/example2/../.. HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e6"
      "3",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa0"
      "0fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },

    { "get-relative",
      "GET /example/.. HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e6"
      "3",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa0"
      "0fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },

    { "get-slash-dot-slash",
      "GET /./ HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e6"
      "3",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa0"
      "0fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },

    { "get-slash-pointless-dot",
      "GET /./example HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/example\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "214d50c111a8edc4819da6a636336472c916b5240f51e9a51b5c3305180cf70"
      "2",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=ef75"
      "d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5" },

    { "get-slash",
      "GET // HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e6"
      "3",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa0"
      "0fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },

    { "get-slashes",
      "GET //example// HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/example/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "cb96b4ac96d501f7c5c15bc6d67b3035061cfced4af6585ad927f7e6c985c01"
      "5",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=9a62"
      "4bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84" },

    { "get-space",
      "GET /example space/ HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "GET\n"
      "/example%20space/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "63ee75631ed7234ae61b5f736dfc7754cdccfedbff4b5128a915706ee9390d8"
      "6",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=6524"
      "87583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },

    { "get-special-character",
      "GET /example/$delete HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z\n",

      "GET\n"
      "/example/%24delete\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "4053e45b5cef7cec5e17f736b1c12b3faf0388fd4c0bd24326386f132039ce5"
      "c",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=a853"
      "c9b21b528b19643d00910d35b83a10c366a10833ceefb45edd6c80e40f27" },

    { "post-header-key-case",
      "POST / HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "POST\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "553f88c9e4d10fc9e109e2aeb65f030801b70c2f6468faca261d401ae622fc8"
      "7",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=5da7"
      "c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },

    { "post-header-key-sort",
      "POST / HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "My-Header1:value1\n"
      "X-Amz-Date:20150830T123600Z",

      "POST\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "my-header1:value1\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;my-header1;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "9368318c2967cf6de74404b30c65a91e8f6253e0a8659d6d5319f1a812f87d6"
      "5",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;my-header1;x-amz-date, Sig"
      "nature=c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916f"
      "df18852c" },

    { "post-header-value-case",
      "POST / HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "My-Header1:VALUE1\n"
      "X-Amz-Date:20150830T123600Z",

      "POST\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "my-header1:VALUE1\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;my-header1;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "d51ced243e649e3de6ef63afbbdcbca03131a21a7103a1583706a64618606a9"
      "3",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;my-header1;x-amz-date, Sig"
      "nature=cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa5"
      "8b974b7d" },

    { "post-sts-header-after",
      "POST / HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "POST\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "553f88c9e4d10fc9e109e2aeb65f030801b70c2f6468faca261d401ae622fc8"
      "7",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=5da7"
      "c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },

    { "post-sts-header-before",
      "POST / HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z\n"
      "X-Amz-Security-Token:AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAP"
      "BSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfK"
      "D8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKs"
      "burEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6"
      "d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOL"
      "n9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",

      "POST\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "x-amz-security-token:AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAP"
      "BSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfK"
      "D8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKs"
      "burEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6"
      "d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOL"
      "n9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==\n"
      "\n"
      "host;x-amz-date;x-amz-security-token\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "c237e1b440d4c63c32ca95b5b99481081cb7b13c7e40434868e71567c1a882f"
      "6",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-"
      "token, Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba0418"
      "36c64533a82be05ead" },

    { "post-vanilla-empty-query-value",
      "POST /?Param1=value1 HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "POST\n"
      "/\n"
      "Param1=value1\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "9d659678c1756bb3113e2ce898845a0a79dbbc57b740555917687f1b3340fbb"
      "d",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=2803"
      "8455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11" },

    { "post-vanilla-query",
      "POST /?Param1=value1 HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "POST\n"
      "/\n"
      "Param1=value1\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "9d659678c1756bb3113e2ce898845a0a79dbbc57b740555917687f1b3340fbb"
      "d",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=2803"
      "8455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11" },

    { "post-vanilla",
      "POST / HTTP/1.1\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z",

      "POST\n"
      "/\n"
      "\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "host;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
      "5",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "553f88c9e4d10fc9e109e2aeb65f030801b70c2f6468faca261d401ae622fc8"
      "7",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=host;x-amz-date, Signature=5da7"
      "c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },

    { "post-x-www-form-urlencoded-parameters",
      "POST / HTTP/1.1\n"
      "Content-Type:application/x-www-form-urlencoded; charset=utf8\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z\n"
      "\n"
      "Param1=value1",

      "POST\n"
      "/\n"
      "\n"
      "content-type:application/x-www-form-urlencoded; charset=utf8\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "content-type;host;x-amz-date\n"
      "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6"
      "e",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "2e1cf7ed91881a30569e46552437e4156c823447bf1781b921b5d486c568dd1"
      "c",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=content-type;host;x-amz-date, S"
      "ignature=1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d"
      "39fa77a6fe" },

    { "post-x-www-form-urlencoded",
      "POST / HTTP/1.1\n"
      "Content-Type:application/x-www-form-urlencoded\n"
      "Host:example.amazonaws.com\n"
      "X-Amz-Date:20150830T123600Z\n"
      "\n"
      "Param1=value1",

      "POST\n"
      "/\n"
      "\n"
      "content-type:application/x-www-form-urlencoded\n"
      "host:example.amazonaws.com\n"
      "x-amz-date:20150830T123600Z\n"
      "\n"
      "content-type;host;x-amz-date\n"
      "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6"
      "e",

      "AWS4-HMAC-SHA256\n"
      "20150830T123600Z\n"
      "20150830/us-east-1/service/aws4_request\n"
      "42a5e5bb34198acb3e84da4f085bb7927f2bc277ca766e6d19c73c215402128"
      "1",

      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/serv"
      "ice/aws4_request, SignedHeaders=content-type;host;x-amz-date, S"
      "ignature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196"
      "a0fe09473a" },

};


#endif /* _NGX_SCALE_AWS_VECTORS_H_INCLUDED_ */
