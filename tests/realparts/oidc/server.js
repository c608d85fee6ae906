// An OpenID provider for tests: the certified npm package oidc-provider, in memory, on a free port of the loopback address.
// It has authorization code with PKCE, device code, refresh, client credentials, token exchange (RFC 8693, a grant of our
// own), dynamic registration, introspection and revocation; users whose claims are in the forms of IAM, Check-in, CILogon
// and Keycloak; and IAM's list of people (SCIM).
//
//   node server.js CONFIG     CONFIG is JSON: {jwk, users, clients, claimsInIdToken, lifetime, scimPage, host, cert, key}
//
// The first line of its output is its issuer. It ends when its input does. `PUT /control/users/NAME` changes a user.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createPublicKey } from 'node:crypto';
import Provider, { errors } from 'oidc-provider';
import { jwtVerify } from 'jose';

const config = JSON.parse(process.argv[2] || '{}');
const users = config.users || {};
const lifetime = config.lifetime || 3600;
const ANY = 'https://wlcg.cern.ch/jwt/v1/any';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const { jwk } = config; // made by whoever starts us: Node 20 may hang for ever when it exports a key that it has just made
const publicKey = createPublicKey({ key: jwk, format: 'jwk' });

// Scopes of a resource: with one of those a client gets a JWT for that resource, otherwise a token for userinfo only.
const RESOURCE = /^(storage\.(read|create|modify|stage|poll)|compute\.(read|create|modify|cancel))(:\/[^ ]*)?$|^scim:read$/;
const words = (scope) => (scope || '').split(' ').filter(Boolean);
const forResource = (scope) => words(scope).filter((word) => RESOURCE.test(word) || word.startsWith('wlcg') || word === 'offline_access');
const bySubject = (subject) => Object.entries(users).find(([name, claims]) => (claims.sub || name) === subject);
const subjectOf = (name) => users[name] && (users[name].sub || name);

function groups(subject, scopes) { // `wlcg.groups:/belle` asks for that group alone
  const all = bySubject(subject)?.[1]['wlcg.groups'];
  const asked = scopes.filter((scope) => scope.startsWith('wlcg.groups:')).map((scope) => scope.slice(12));
  return all && asked.length ? all.filter((group) => asked.includes(group)) : all;
}

const server = config.cert ? https.createServer({ cert: fs.readFileSync(config.cert), key: fs.readFileSync(config.key) }) : http.createServer();
await new Promise((listening) => { server.listen(0, '127.0.0.1', listening); });
const { port } = server.address();
const issuer = `${config.cert ? 'https' : 'http'}://${config.host || '127.0.0.1'}:${port}`;

const provider = new Provider(issuer, {
  clients: config.clients || [],
  jwks: { keys: [jwk] },
  findAccount: (_, subject) => {
    const found = bySubject(subject);
    return found && { accountId: subject, claims: () => ({ preferred_username: found[0], email_verified: true, ...found[1], sub: subject }) };
  },
  scopes: ['openid', 'offline_access', 'profile', 'email', 'wlcg', 'wlcg.groups', 'entitlements', 'org.cilogon.userinfo', 'groups', 'roles', 'scim:read',
    ...['read', 'create', 'modify', 'stage'].map((verb) => `storage.${verb}:/`), ...['read', 'create', 'modify', 'cancel'].map((verb) => `compute.${verb}`)],
  claims: {
    openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'],
    wlcg: ['wlcg.ver', 'wlcg.groups'], 'wlcg.groups': ['wlcg.ver', 'wlcg.groups'], // IAM
    entitlements: ['entitlements', 'eduperson_entitlement', 'voperson_id', 'voperson_verified_email'], // Check-in
    'org.cilogon.userinfo': ['isMemberOf', 'eppn', 'uid', 'idp_name'], // CILogon
    groups: ['groups'], roles: ['realm_access'], // Keycloak
  },
  conformIdTokenClaims: !config.claimsInIdToken,
  extraTokenClaims: (_, token) => {
    const scopes = words(token.scope);
    const mine = token.accountId && scopes.some((scope) => scope.startsWith('wlcg')) ? groups(token.accountId, scopes) : undefined;
    return { 'wlcg.ver': '1.0', nbf: Math.floor(Date.now() / 1000), ...(mine ? { 'wlcg.groups': mine } : {}), ...(token.extra || {}) };
  },
  pkce: { required: () => true },
  // the browsers of tests meet several providers on one host, and cookies do not tell ports apart
  cookies: { keys: [`keys of ${port}`], names: { session: `session_${port}`, interaction: `interaction_${port}`, resume: `resume_${port}` } },
  issueRefreshToken: (_, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  ttl: { AccessToken: lifetime, ClientCredentials: lifetime, DeviceCode: 600, IdToken: lifetime, Grant: 86400, Session: 86400, Interaction: 3600, RefreshToken: 86400, AuthorizationCode: 60 },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  renderError: (ctx, out) => { ctx.type = 'text'; ctx.body = `${out.error}: ${out.error_description}`; },
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, _, several) => {
        const asked = ctx.oidc.params;
        return several?.length ? several[0] : (asked.grant_type === 'client_credentials' || words(asked.scope).some((word) => RESOURCE.test(word)) ? ANY : undefined);
      },
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => {
        const { params, entities: e } = ctx.oidc;
        const asked = [params.scope, e.DeviceCode?.scope, e.AuthorizationCode?.scope, e.RefreshToken?.scope, e.Grant?.resources?.[resource]].filter(Boolean).join(' ');
        return { scope: forResource(asked).join(' '), audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: lifetime, jwt: { sign: { alg: 'RS256', kid: jwk.kid } } };
      },
    },
  },
});

provider.registerGrantType(EXCHANGE, async (ctx) => {
  const { params, client } = ctx.oidc;
  if (!params.subject_token) throw new errors.InvalidRequest('missing required parameter subject_token');
  let subject;
  try {
    ({ payload: subject } = await jwtVerify(params.subject_token, publicKey, { issuer }));
  } catch (error) {
    throw new errors.InvalidGrant(`subject_token: ${error.message}`);
  }
  const has = words(subject.scope);
  const wants = params.scope ? words(params.scope) : has;
  const within = (scope) => has.some((had) => had === scope || (had.includes(':/') && scope.startsWith(had.endsWith('/') ? had : `${had}/`)));
  for (const scope of wants) if (scope !== 'offline_access' && !within(scope)) throw new errors.InvalidScope('exceeds the subject token', scope);
  const audience = [params.audience || params.resource || subject.aud].flat()[0];
  const token = new provider.AccessToken({ client, accountId: bySubject(subject.sub) ? subject.sub : undefined, scope: wants.filter((scope) => scope !== 'offline_access').join(' '), gty: 'token_exchange', extra: { act: { sub: client.clientId } } });
  token.resourceServer = new provider.ResourceServer(audience, { scope: wants.join(' '), audience, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256', kid: jwk.kid } } });
  ctx.oidc.entity('AccessToken', token);
  ctx.body = { access_token: await token.save(), issued_token_type: 'urn:ietf:params:oauth:token-type:access_token', token_type: 'Bearer', expires_in: token.expiration, scope: token.scope };
}, ['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'requested_token_type', 'audience', 'resource', 'scope'], ['audience', 'resource']);

async function text(request) {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

const escaped = (said) => String(said || '').replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

// Login and consent in one form: a person, a browser or a test posts user=alice.
async function interaction(ctx) {
  const details = await provider.interactionDetails(ctx.req, ctx.res);
  if (ctx.method === 'GET') {
    ctx.type = 'html';
    ctx.body = `<!doctype html><title>Sign in</title><h1>Sign in to ${escaped(details.params.client_id)}</h1><p>Scope: ${escaped(details.params.scope)}</p><form method="post"><input name="user" value="${escaped(bySubject(details.session?.accountId)?.[0])}" autofocus><button>Continue</button></form>`;
    return;
  }
  const subject = details.session?.accountId || subjectOf(new URLSearchParams(await text(ctx.req)).get('user'));
  if (!bySubject(subject)) {
    ctx.status = 403;
    ctx.body = 'unknown user';
    return;
  }
  const grant = (details.grantId && await provider.Grant.find(details.grantId)) || new provider.Grant({ accountId: subject, clientId: details.params.client_id });
  grant.addOIDCScope(details.params.scope);
  const resources = [details.params.resource || (words(details.params.scope).some((word) => RESOURCE.test(word)) ? ANY : [])].flat();
  for (const resource of resources) grant.addResourceScope(resource, details.params.scope);
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: subject }, consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  ctx.respond = false;
}

// IAM's list of people: those with a token of the scope `scim:read` may read it.
async function people(ctx) {
  try {
    const { payload } = await jwtVerify((ctx.get('authorization') || '').replace(/^Bearer /, ''), publicKey, { issuer });
    if (!words(payload.scope).includes('scim:read')) throw new Error('scope');
  } catch {
    ctx.status = 401;
    ctx.body = { detail: 'a token with scim:read is needed', status: '401' };
    return;
  }
  const start = Number(ctx.query.startIndex || 1);
  const all = Object.entries(users);
  const page = all.slice(start - 1, start - 1 + Math.min(Number(ctx.query.count || 100), config.scimPage || 100));
  ctx.body = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'], totalResults: all.length, startIndex: start, itemsPerPage: page.length,
    Resources: page.map(([name, claims]) => ({
      id: subjectOf(name), userName: name, active: claims.active ?? true, displayName: claims.name, emails: claims.email ? [{ type: 'work', value: claims.email, primary: true }] : [],
      groups: (claims['wlcg.groups'] || []).map((group) => ({ display: group.slice(1), value: group })),
    })),
  };
}

provider.use(async (ctx, next) => {
  const [, first, second, third] = ctx.path.split('/').map(decodeURIComponent);
  if (first === 'interaction') return interaction(ctx);
  if (first === 'scim' && second === 'Users') return people(ctx);
  if (first === 'control' && second === 'users') {
    if (ctx.method === 'DELETE') delete users[third];
    else users[third] = { ...users[third], ...JSON.parse(await text(ctx.req)) };
    ctx.status = 204;
    return undefined;
  }
  return next();
});
provider.on('server_error', (_, error) => console.error(error));

const callback = provider.callback();
server.on('request', (request, response) => { // ARC 6 sends absolute-form targets
  request.url = request.url.replace(/^https?:\/\/[^/]*/, '');
  callback(request, response);
});
process.stdin.on('end', () => process.exit(0)).resume();
console.log(issuer);
