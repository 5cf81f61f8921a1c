// An SDK from npm at the simulated gateway, in both versions of the API: wechatpay-axios-plugin.
//
// scripts/check-sdks runs it, with what it needs in the environment. A line is printed for each call: `ok`
// or `WRONG`, the SDK, the call, and what was said.
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');
const { createRequire } = require('module');

const of = process.env;
const { Wechatpay, Rsa, Aes, Hash, Formatter, Transformer } =
  createRequire(path.join(of.SDK_MODULES, 'here.js'))('wechatpay-axios-plugin');

const secret = (name) => fs.readFileSync(path.join(of.SDK_FOLDER, 'secrets', name), 'utf8').trim();
const [appid, mchid, ip] = ['wx8888888888888888', '1900000109', '203.0.113.7'];
const today = new Date(Date.now() + 8 * 3600 * 1000).toISOString().slice(0, 10);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const platform = {
  [secret('pub_key.id')]: Rsa.from(secret('pub_key.pem'), Rsa.KEY_TYPE_PUBLIC),
  [of.SDK_PLATFORM_SERIAL]: Rsa.from(secret('platform_cert.pem'), Rsa.KEY_TYPE_PUBLIC),
};
let wrong = 0;

function till(base, headers) {
  return new Wechatpay({
    mchid,
    serial: of.SDK_SERIAL,
    privateKey: Rsa.from(secret('v3_apiclient_key.pem'), Rsa.KEY_TYPE_PRIVATE),
    certs: { ...platform },
    secret: secret('api_v2.key'),
    merchant: { cert: secret('apiclient_cert.pem'), key: secret('apiclient_key.pem') },
    baseURL: `${base}/`,
    proxy: false,
    ...(headers && { headers }),
  });
}

async function attempt(sdk, call, work) {
  let [holds, said] = [false, ''];
  try {
    [holds, said] = await work();
  } catch (error) {
    said = `${error.message} ${error.response ? JSON.stringify(error.response.data) : ''}`;
  }
  wrong += holds ? 0 : 1;
  console.log(holds ? 'ok   ' : 'WRONG', `${sdk.padEnd(28)}${call.padEnd(24)}${said}`);
}

async function heard(name, accept) {
  for (let times = 0; times < 600; times += 1) {
    const files = fs.readdirSync(of.SDK_NOTICES).filter((file) => file.startsWith(`${name}-`)).sort();
    for (const file of files) {
      const said = accept(JSON.parse(fs.readFileSync(path.join(of.SDK_NOTICES, file), 'utf8')));
      if (said) return [true, said];
    }
    await pause(50);
  }
  return [false, 'nothing has come'];
}

async function v2(signType) {
  const sdk = `axios-plugin v2 ${signType.slice(0, 4)}`;
  const id = signType === 'MD5' ? 'JSMD5' : 'JSHMAC';
  const [pay, waiting] = [till(of.SDK_PAYING), till(of.SDK_WAITING)];
  const common = { appid, mch_id: mchid, sign_type: signType };
  const [number, order, refund] = [`${id}-MICROPAY-1`, `${id}-NATIVE-1`, `${id}-REFUND-1`];
  // The SDK has verified it, or it throws.
  const ask = async (client, where, data, config) => (await client.client.request(`v2/${where}`, 'post', { ...common, ...data }, config)).data;
  const native = (client, out_trade_no) => ask(client, 'pay/unifiedorder', {
    body: 'Coffee 咖啡', out_trade_no, total_fee: 3150, spbill_create_ip: ip, trade_type: 'NATIVE', product_id: out_trade_no,
    notify_url: `${of.SDK_RECEIVER}/v2/${id.toLowerCase()}`,
  });
  const is = (answer, expected) => [
    Object.entries(expected).every(([name, value]) => answer[name] === value),
    Object.keys(expected).map((name) => `${name}=${answer[name]}`).join(' '),
  ];
  await attempt(sdk, 'micropay', async () => is(await ask(pay, 'pay/micropay', {
    body: 'Coffee 咖啡 & <cake>', out_trade_no: number, total_fee: 3150, spbill_create_ip: ip, auth_code: of[`SDK_CODE_${id}`],
  }), { result_code: 'SUCCESS', total_fee: '3150' }));
  await attempt(sdk, 'orderquery', async () => is(await ask(pay, 'pay/orderquery', { out_trade_no: number }), { trade_state: 'SUCCESS' }));
  await attempt(sdk, 'unifiedorder', async () => {
    const { code_url } = await native(pay, order);
    return [code_url.startsWith('weixin://wxpay/'), code_url];
  });
  await attempt(sdk, 'native orderquery', async () => is(
    await ask(pay, 'pay/orderquery', { out_trade_no: order }), { trade_state: 'SUCCESS', trade_type: 'NATIVE' },
  ));
  const parsed = (found) => Transformer.toObject(found.body);
  await attempt(sdk, 'payment notification', () => heard(`v2-${id.toLowerCase()}`, (found) => {
    const data = parsed(found);
    if (data.req_info) return false;
    const sign = Hash.sign(data.sign_type || 'MD5', data, secret('api_v2.key'));
    return sign === data.sign && data.out_trade_no === order && data.total_fee === '3150' && data.transaction_id;
  }));
  await attempt(sdk, 'refund', async () => is(await ask(pay, 'secapi/pay/refund', {
    out_trade_no: order, out_refund_no: refund, total_fee: 3150, refund_fee: 1000,
  }, { security: true }), { result_code: 'SUCCESS', refund_fee: '1000' }));
  await attempt(sdk, 'refundquery', async () => {
    let answer = {};
    for (let times = 0; times < 100 && answer.refund_status_0 !== 'SUCCESS'; times += 1) {
      answer = await ask(pay, 'pay/refundquery', { out_refund_no: refund });
      await pause(500);
    }
    return is(answer, { refund_status_0: 'SUCCESS', refund_fee_0: '1000' });
  });
  await attempt(sdk, 'refund notification', () => heard(`v2-${id.toLowerCase()}`, (found) => {
    const { req_info: sealed } = parsed(found);
    if (!sealed) return false;
    const data = Transformer.toObject(Aes.AesEcb.decrypt(sealed, Hash.md5(secret('api_v2.key'))));
    return data.out_refund_no === refund && data.refund_fee === '1000' && data.refund_status;
  }));
  await attempt(sdk, 'closeorder', async () => {
    await native(waiting, `${id}-NATIVE-2`);
    await ask(waiting, 'pay/closeorder', { out_trade_no: `${id}-NATIVE-2` });
    return is(await ask(waiting, 'pay/orderquery', { out_trade_no: `${id}-NATIVE-2` }), { trade_state: 'CLOSED' });
  });
  await attempt(sdk, 'downloadbill', async () => {
    const text = await ask(pay, 'pay/downloadbill', { bill_date: today.replaceAll('-', ''), bill_type: 'ALL' }, {
      transformResponse: [(data) => data],
    });
    return [text.includes(`\`${number},`) && text.includes(`\`${order},`), `${text.split('\n').length} lines`];
  });
}

async function v3(sdk, id, headers) {
  const [pay, waiting] = [till(of.SDK_PAYING, headers), till(of.SDK_WAITING, headers)];
  const [number, order, refund] = [`${id}-CODEPAY-1`, `${id}-NATIVE-1`, `${id}-REFUND-1`];
  const amount = { total: 3150, currency: 'CNY' };
  const post = (client, where, data) => client.client.request(`v3/${where}`, 'post', data);
  const get = (client, where, params, more) => client.client.request(`v3/${where}`, 'get', undefined, { params, ...more });
  const query = async (client, out_trade_no) => (await get(client, `pay/transactions/out-trade-no/${out_trade_no}`, { mchid })).data;
  const native = (client, out_trade_no) => post(client, 'pay/transactions/native', {
    appid, mchid, description: 'Coffee 咖啡', out_trade_no, amount, scene_info: { payer_client_ip: ip },
    notify_url: `${of.SDK_RECEIVER}/v3/${id.toLowerCase()}`,
  });
  const is = (answer, expected) => [
    Object.entries(expected).every(([name, value]) => answer[name] === value),
    Object.keys(expected).map((name) => `${name}=${answer[name]}`).join(' '),
  ];
  await attempt(sdk, 'codepay', async () => is((await post(pay, 'pay/transactions/codepay', {
    appid, mchid, description: 'Coffee 咖啡 & <cake>', out_trade_no: number, amount, payer: { auth_code: of[`SDK_CODE_${id}`] },
    scene_info: { device_id: 'S001', device_ip: ip, store_info: { out_id: 'S001' } },
  })).data, { trade_state: 'SUCCESS', out_trade_no: number }));
  await attempt(sdk, 'query', async () => is(await query(pay, number), { trade_state: 'SUCCESS' }));
  await attempt(sdk, 'native', async () => {
    const { data: { code_url } } = await native(pay, order);
    return [code_url.startsWith('weixin://wxpay/'), code_url];
  });
  await attempt(sdk, 'native query', async () => is(await query(pay, order), { trade_state: 'SUCCESS', trade_type: 'NATIVE' }));
  const opened = (found, event, body = found.body) => {
    const of = (name) => found.headers[`Wechatpay-${name}`];
    const message = Formatter.response(of('Timestamp'), of('Nonce'), body);
    if (!Rsa.verify(message, of('Signature'), platform[of('Serial')])) return null;
    const { event_type, resource } = JSON.parse(body);
    if (event_type !== event) return null;
    return JSON.parse(Aes.AesGcm.decrypt(resource.ciphertext, secret('api_v3.key'), resource.nonce, resource.associated_data));
  };
  const name = `v3-${id.toLowerCase()}`;
  await attempt(sdk, 'payment notification', () => heard(name, (found) => {
    const data = opened(found, 'TRANSACTION.SUCCESS');
    return data && data.out_trade_no === order && data.amount.total === 3150 && data.transaction_id;
  }));
  await attempt(sdk, 'a changed notification', () => heard(name, (found) => (
    opened(found, 'TRANSACTION.SUCCESS', `${found.body} `) === null && 'changed, and refused'
  )));
  await attempt(sdk, 'refund', async () => is((await post(pay, 'refund/domestic/refunds', {
    out_trade_no: order, out_refund_no: refund, reason: 'broken', amount: { refund: 1000, ...amount },
  })).data, { status: 'PROCESSING' }));
  await attempt(sdk, 'refund query', async () => {
    let answer = {};
    for (let times = 0; times < 100 && answer.status !== 'SUCCESS'; times += 1) {
      answer = (await get(pay, `refund/domestic/refunds/${refund}`)).data;
      await pause(500);
    }
    return is(answer, { status: 'SUCCESS', out_trade_no: order });
  });
  await attempt(sdk, 'refund notification', () => heard(name, (found) => {
    const data = opened(found, 'REFUND.SUCCESS');
    return data && data.amount.refund === 1000 && data.refund_status;
  }));
  await attempt(sdk, 'close', async () => {
    await native(waiting, `${id}-NATIVE-2`);
    const { status } = await post(waiting, `pay/transactions/out-trade-no/${id}-NATIVE-2/close`, { mchid });
    const { trade_state } = await query(waiting, `${id}-NATIVE-2`);
    return [status === 204 && trade_state === 'CLOSED', `${status} ${trade_state}`];
  });
  await attempt(sdk, 'tradebill', async () => {
    const { data } = await get(pay, 'bill/tradebill', { bill_date: today, bill_type: 'ALL', tar_type: 'GZIP' });
    const token = new URL(data.download_url).searchParams.get('token');
    const file = await get(pay, 'billdownload/file', { token }, { responseType: 'arraybuffer' });
    const bytes = zlib.gunzipSync(Buffer.from(file.data));
    // Nobody knows which of the two the digest is of.
    const digests = [Buffer.from(file.data), bytes].map((of) => require('crypto').createHash('sha1').update(of).digest('hex'));
    const text = bytes.toString();
    return [text.includes(`\`${number},`) && text.includes(`\`${order},`) && digests.includes(data.hash_value), `${text.split('\n').length} lines`];
  });
}

(async () => {
  await v2('MD5');
  await v2('HMAC-SHA256');
  await v3('axios-plugin, public key', 'JSKEY', { 'Wechatpay-Serial': secret('pub_key.id') });
  await v3('axios-plugin, certificate', 'JSCERT');
  process.exit(wrong > 0 ? 1 : 0);
})();
