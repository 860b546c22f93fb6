// The peer of the exchange benchmark: panva's oidc-provider, in memory, with an RFC 8693 grant
// registered on it. It verifies the subject token's ES256 signature, issuer and expiry, and mints
// a new ES256 access token (ES256 because it signs faster than RS256: the peer gets its best side) with an `act` claim. Prints one JSON line when it is ready.
import { createPublicKey, generateKeyPairSync, sign, verify, randomUUID } from 'node:crypto';
import Provider from 'oidc-provider';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicKey = createPublicKey(privateKey);
const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256', use: 'sig' };
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const mint = (claims) => {
  const input = `${encode({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })}.${encode(claims)}`;
  return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
};

const port = Number(process.argv[2] ?? 0);
const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'bench', client_secret: 'bench-secret', redirect_uris: [], response_types: [],
    grant_types: [GRANT], token_endpoint_auth_method: 'client_secret_basic', id_token_signed_response_alg: 'ES256' }],
  jwks: { keys: [jwk] },
  cookies: { keys: ['bench'] },
  features: { devInteractions: { enabled: false } },
});
provider.registerGrantType(GRANT, async (ctx) => {
  const { subject_token: token, resource, scope } = ctx.oidc.params;
  const [head, body, signature] = token.split('.');
  if (!verify('sha256', Buffer.from(`${head}.${body}`), { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))) {
    ctx.status = 400; ctx.body = { error: 'invalid_grant' }; return;
  }
  const claims = JSON.parse(Buffer.from(body, 'base64url'));
  const now = Math.floor(Date.now() / 1000);
  if (claims.exp <= now || claims.iss !== ctx.oidc.issuer) {
    ctx.status = 400; ctx.body = { error: 'invalid_grant' }; return;
  }
  ctx.body = { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token', token_type: 'Bearer', expires_in: 300,
    access_token: mint({ iss: claims.iss, sub: claims.sub, aud: resource, client_id: ctx.oidc.client.clientId, scope,
      iat: now, exp: now + 300, jti: randomUUID(), act: { sub: ctx.oidc.client.clientId } }) };
}, ['subject_token', 'subject_token_type', 'resource', 'scope'], ['resource']);

const server = provider.listen(port, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const now = Math.floor(Date.now() / 1000);
  const subject = mint({ iss: `http://127.0.0.1:${port}`, sub: 'ada', aud: `${url}/mcp`, client_id: 'bench', iat: now, exp: now + 3600, jti: randomUUID() });
  console.log(JSON.stringify({ token_endpoint: `${url}/token`, client_id: 'bench', client_secret: 'bench-secret', subject_token: subject }));
});
