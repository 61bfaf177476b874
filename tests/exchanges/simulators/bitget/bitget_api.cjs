// Asks a simulated Bitget through bitget-api and prints what came as JSON. Arguments: url, then two sets of keys.
const { RestClientV2, RestClientV3 } = require("bitget-api");

const [url, classic, unified] = process.argv.slice(2);
const options = (text) => {
  const [apiKey, apiSecret, apiPass] = text.split(",");
  return { apiKey, apiSecret, apiPass, baseUrl: url };
};
const v2 = new RestClientV2(options(classic));
const v3 = new RestClientV3(options(unified));
const product = { productType: "USDT-FUTURES" };
const day = 86400000;
const now = Date.now();
const span = (days) => ({ startTime: String(now - days * day), endTime: String(now) });

async function pages(ask, rows, cursor) {
  const found = [];
  let below = {};
  for (;;) {
    const { data } = await ask(below);
    const page = rows(data) ?? [];
    found.push(...page);
    if (page.length < 20) return found;
    below = cursor(data, page);
  }
}

const codeOf = async (ask) => {
  try {
    await ask();
    return "";
  } catch (error) {
    return String(error.body?.code ?? error.code);
  }
};

async function main() {
  const { data: symbols } = await v2.getSpotSymbolInfo();
  const spot = [];
  for (const { symbol } of symbols) {
    const ask = (below) => v2.getSpotFills({ symbol, limit: "20", ...span(89), ...below });
    spot.push(...(await pages(ask, (data) => data, (_, page) => ({ idLessThan: page.at(-1).tradeId }))));
  }
  const weeks = [0, 7, 14, 21, 28].map((ago) => ({
    startTime: String(now - (ago + 7) * day),
    endTime: String(now - ago * day),
  }));
  const futures = [];
  for (const week of weeks) {
    const ask = (below) => v2.getFuturesFills({ ...product, limit: "20", ...week, ...below });
    futures.push(...(await pages(ask, (data) => data.fillList, (data) => ({ idLessThan: data.endId }))));
  }
  const months = [0, 30, 60].map((ago) => ({
    startTime: String(now - Math.min(ago + 30, 89) * day),
    endTime: String(now - ago * day),
  }));
  const shared = [];
  for (const month of months) {
    const ask = (below) => v3.getTradeFills({ limit: "20", ...month, ...below });
    shared.push(...(await pages(ask, (data) => data.list, (data) => ({ cursor: data.cursor }))));
  }
  const bills = { ...product, businessType: "contract_settle_fee", ...span(29) };
  const stranger = new RestClientV2({ ...options(classic), apiPass: "wrong" });
  const other = new RestClientV3(options(classic));
  return {
    spot: spot.map((row) => [row.symbol, row.tradeId]),
    futures: futures.map((row) => [row.symbol, row.tradeId]),
    unified: shared.map((row) => [row.category, row.symbol, row.execId]),
    assets: (await v2.getSpotAccountAssets()).data.map((row) => row.coin),
    account: (await v2.getSpotAccount()).data.userId,
    plans: (await v2.getSpotCurrentPlanOrders({ limit: "100" })).data.orderList.map((row) => row.orderId),
    open: (await v2.getSpotOpenOrders()).data.map((row) => row.orderId),
    deposits: (await v2.getSpotDepositHistory(span(89))).data.map((row) => row.orderId),
    withdrawals: (await v2.getSpotWithdrawalHistory(span(89))).data.map((row) => row.orderId),
    transfers: (await v2.getSpotTransferHistory({ coin: "USDT", fromType: "spot", ...span(89) })).data.map(
      (row) => row.transferId,
    ),
    positions: (await v2.getFuturesPositions({ ...product, marginCoin: "USDT" })).data.map((row) => row.symbol),
    equity: (await v2.getFuturesAccountAssets(product)).data[0].accountEquity,
    funding: (await v2.getFuturesAccountBills({ ...bills, limit: "100" })).data.bills.map((row) => row.billId),
    settings: (await v3.getAccountSettings()).data.holdMode,
    balances: (await v3.getBalances()).data.assets.map((row) => row.coin),
    held: (await v3.getCurrentPosition({ category: "USDT-FUTURES" })).data.list.map((row) => row.symbol),
    orders: (await v3.getHistoryOrders({ category: "SPOT", limit: "100" })).data.list.map((row) => row.orderId),
    instruments: (await v3.getInstruments({ category: "USDC-FUTURES" })).data.map((row) => row.symbol),
    clock: Number((await v2.getServerTime()).data.serverTime) - Date.now(),
    refused: await codeOf(() => stranger.getSpotAccountAssets()),
    classicOnly: await codeOf(() => other.getBalances()),
    mayNotTrade: await codeOf(() =>
      v2.spotSubmitOrder({ symbol: "BTCUSDT", side: "buy", orderType: "market", size: "1", force: "gtc" }),
    ),
  };
}

main().then((told) => process.stdout.write(JSON.stringify(told)), (error) => {
  process.stderr.write(JSON.stringify(error.body ?? String(error)));
  process.exit(1);
});
