/** A throw-away certificate for 127.0.0.1 that nobody trusts. The key protects nothing. */
export const selfSigned: { readonly key: string; readonly cert: string } = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFhwyxsrfw9qekBCy
ydsBILkfUMmj8YQFRUwTF6qB5byhRANCAATFxJ6tbH/zovW6S3JH2sHOc/NLeoqf
bGPArH9Lxhh7B1fC0plchXUPNdWJmDaexzjGQ/Zy63bFLCGw0TkD+3DW
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBjzCCATagAwIBAgIUVRvbbsMpRDnQjL/FsnhvkgbiJLcwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMzE4MzcwNFoYDzIxMjYxMDMw
MTgzNzA0WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATFxJ6tbH/zovW6S3JH2sHOc/NLeoqfbGPArH9Lxhh7B1fC0plchXUP
NdWJmDaexzjGQ/Zy63bFLCGw0TkD+3DWo2QwYjAdBgNVHQ4EFgQU0oicDi/pKXy1
dmPH947dIUf+/BkwHwYDVR0jBBgwFoAU0oicDi/pKXy1dmPH947dIUf+/BkwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0cAMEQC
ICv13j5IlsvArOm5kZbh8Fgj75StEeKtBqmR1vz/kebhAiAJRNA6T6o/7pW6rI1m
ZjGrg7j9HRPPDOmjW/eXd+u6nw==
-----END CERTIFICATE-----
`,
};
