"""Two SDKs from PyPI at the simulated gateway: wechatpy in API v2, wechatpayv3 in API v3.

scripts/check-sdks runs it, with what they need in the environment. A line is printed for each call: `ok`
or `WRONG`, the SDK, the call, and what was said.
"""

import datetime
import gzip
import json
import os
import pathlib
import sys
import time

import wechatpy.pay
from wechatpayv3 import WeChatPay, WeChatPayType

FOLDER = pathlib.Path(os.environ["SDK_FOLDER"])
NOTICES = pathlib.Path(os.environ["SDK_NOTICES"])
# The second one's customers never pay.
PAYING, WAITING = os.environ["SDK_PAYING"], os.environ["SDK_WAITING"]
RECEIVER = os.environ["SDK_RECEIVER"]
APP_ID, MCH_ID = "wx8888888888888888", "1900000109"
TODAY = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8)))
IP = "203.0.113.7"
wrong = 0


def secret(name):
    return (FOLDER / "secrets" / name).read_text().strip()


def check(sdk, call, holds, said):
    global wrong
    wrong += not holds
    print("ok   " if holds else "WRONG", f"{sdk:<28}{call:<24}{said}", flush=True)


def attempt(sdk, call, work):
    """What an SDK says, or what it raises."""
    try:
        holds, said = work()
    except Exception as error:
        holds, said = False, f"{type(error).__name__}: {error}"
    check(sdk, call, holds, said)


def notice(name):
    """The newest delivery of that name, once it has come."""
    for _ in range(600):
        for file in sorted(NOTICES.glob(f"{name}-*.json")):
            yield json.loads(file.read_text())
        time.sleep(0.05)


def heard(name, accept):
    """The first delivery of that name that satisfies a condition."""
    for found in notice(name):
        said = accept(found)
        if said:
            return True, said
    return False, "nothing has come"


def v2():
    sdk = "wechatpy v2"
    key = secret("api_v2.key")
    certificate = {"mch_cert": str(FOLDER / "secrets/apiclient_cert.pem"),
                   "mch_key": str(FOLDER / "secrets/apiclient_key.pem")}

    def till(base, key=key):
        pay = wechatpy.pay.WeChatPay(APP_ID, key, MCH_ID, timeout=10, **certificate)
        pay.API_BASE_URL = base + "/"
        return pay

    pay, waiting = till(PAYING), till(WAITING)
    number, order = "PYV2-MICROPAY-1", "PYV2-NATIVE-1"

    def signed(answer, **expected):
        holds = pay.check_signature(answer) and all(answer.get(name) == value for name, value in expected.items())
        return holds, " ".join(f"{name}={answer.get(name)}" for name in expected) or answer["result_code"]

    def native(pay, order):
        return pay.order.create("NATIVE", "Coffee 咖啡", 3150, f"{RECEIVER}/v2/pyv2", client_ip=IP,
                                out_trade_no=order, product_id=order, device_info="S001")

    attempt(sdk, "micropay", lambda: signed(pay.micropay.create(
        "Coffee 咖啡 & <cake>", 3150, "130000000000010000", client_ip=IP, out_trade_no=number), total_fee="3150"))
    attempt(sdk, "orderquery", lambda: signed(pay.order.query(out_trade_no=number), trade_state="SUCCESS"))

    def ordered():
        answer = native(pay, order)
        return signed(answer)[0] and answer["code_url"].startswith("weixin://wxpay/"), answer["code_url"]

    attempt(sdk, "unifiedorder", ordered)
    attempt(sdk, "native orderquery",
            lambda: signed(pay.order.query(out_trade_no=order), trade_state="SUCCESS", trade_type="NATIVE"))

    def paid(found):
        data = pay.parse_payment_result(found["body"])
        return data["out_trade_no"] == order and data["total_fee"] == 3150 and data["transaction_id"]

    attempt(sdk, "payment notification", lambda: heard("v2-pyv2", lambda found: "req_info" not in found["body"] and paid(found)))
    attempt(sdk, "refund", lambda: signed(pay.refund.apply(
        3150, 1000, "PYV2-REFUND-1", out_trade_no=order, refund_desc="broken"), refund_fee="1000"))

    def refunded():
        for _ in range(100):
            answer = pay.refund.query(out_refund_no="PYV2-REFUND-1")
            if answer["refund_status_0"] == "SUCCESS":
                break
            time.sleep(0.5)
        return signed(answer, refund_status_0="SUCCESS", refund_fee_0="1000")

    attempt(sdk, "refundquery", refunded)

    def given_back(found):
        data = pay.parse_refund_notify_result(found["body"])
        return data["refund_fee"] == 1000 and data["out_refund_no"] == "PYV2-REFUND-1" and data["refund_status"]

    attempt(sdk, "refund notification", lambda: heard("v2-pyv2", lambda found: "req_info" in found["body"] and given_back(found)))

    def closed():
        native(waiting, "PYV2-NATIVE-2")
        holds, _ = signed(waiting.order.close("PYV2-NATIVE-2"))
        return holds and signed(waiting.order.query(out_trade_no="PYV2-NATIVE-2"), trade_state="CLOSED")[0], "CLOSED"

    attempt(sdk, "closeorder", closed)

    def bill():
        text = pay.tools.download_bill(TODAY.strftime("%Y%m%d"))
        return f"`{number}," in text and f"`{order}," in text, f"{text.count(chr(10))} lines"

    attempt(sdk, "downloadbill", bill)

    def refused():
        try:
            till(PAYING, "0" * 32).order.query(out_trade_no=number)
        except wechatpy.exceptions.WeChatPayException as error:
            return error.return_code == "FAIL", error.return_msg
        return False, "taken"

    attempt(sdk, "another key", refused)


def v3(sdk, prefix, **keys):
    from wechatpayv3 import core

    serial = os.environ["SDK_SERIAL"]

    def till(base):
        # The SDK knows only the real host, and may ask it before it can be told of another.
        start = core.Core.request
        core.Core.request = lambda self, *given, **more: (setattr(self, "_gate_way", base), start(self, *given, **more))[1]
        try:
            pay = WeChatPay(WeChatPayType.NATIVE, MCH_ID, secret("v3_apiclient_key.pem"), serial, APP_ID,
                            secret("api_v3.key"), notify_url=f"{RECEIVER}/v3/{prefix.lower()}", timeout=(10, 10), **keys)
        finally:
            core.Core.request = start
        pay._core._gate_way = base
        return pay

    try:
        pay, waiting = till(PAYING), till(WAITING)
    except Exception as error:
        return check(sdk, "certificates", False, f"{type(error).__name__}: {error}")
    number, order = f"{prefix}-CODEPAY-1", f"{prefix}-NATIVE-1"
    amount = {"total": 3150, "currency": "CNY"}

    def said(answer, http_status, **expected):
        code, text = answer
        data = json.loads(text) if text else {}
        holds = code == http_status and all(data.get(name) == value for name, value in expected.items())
        return holds, f"{code} " + " ".join(f"{name}={data.get(name)}" for name in expected)

    def native(pay, order):
        return pay.pay("Coffee 咖啡", order, amount, scene_info={"payer_client_ip": IP})

    scene = {"device_id": "S001", "device_ip": IP, "store_info": {"out_id": "S001"}}
    attempt(sdk, "codepay", lambda: said(pay.pay(
        "Coffee 咖啡 & <cake>", number, amount, payer={"auth_code": os.environ[f"SDK_CODE_{prefix}"]}, scene_info=scene,
        pay_type=WeChatPayType.CODEPAY), 200, trade_state="SUCCESS", out_trade_no=number))
    attempt(sdk, "query", lambda: said(pay.query(out_trade_no=number), 200, trade_state="SUCCESS"))

    def ordered():
        code, text = native(pay, order)
        url = json.loads(text).get("code_url", text)
        return code == 200 and url.startswith("weixin://wxpay/"), url

    attempt(sdk, "native", ordered)
    attempt(sdk, "native query", lambda: said(pay.query(out_trade_no=order), 200, trade_state="SUCCESS", trade_type="NATIVE"))

    def told(found, event):
        data = pay.callback(found["headers"], found["body"])
        return data and data["event_type"] == event and data["resource"]

    def paid(found):
        data = told(found, "TRANSACTION.SUCCESS")
        return data and data["out_trade_no"] == order and data["amount"]["total"] == 3150 and data["transaction_id"]

    name = f"v3-{prefix.lower()}"
    attempt(sdk, "payment notification", lambda: heard(name, paid))

    def forged():
        found = next(notice(name))
        return not pay.callback(found["headers"], found["body"].replace("支付成功", "支付失败")), "changed, and refused"

    attempt(sdk, "a changed notification", forged)
    refund = {"refund": 1000, "total": 3150, "currency": "CNY"}
    attempt(sdk, "refund", lambda: said(pay.refund(
        f"{prefix}-REFUND-1", refund, out_trade_no=order, reason="broken"), 200, status="PROCESSING"))

    def refunded():
        for _ in range(100):
            answer = pay.query_refund(f"{prefix}-REFUND-1")
            if json.loads(answer[1]).get("status") == "SUCCESS":
                break
            time.sleep(0.5)
        return said(answer, 200, status="SUCCESS", out_trade_no=order)

    attempt(sdk, "refund query", refunded)

    def given_back(found):
        data = told(found, "REFUND.SUCCESS")
        return data and data["amount"]["refund"] == 1000 and data["refund_status"]

    attempt(sdk, "refund notification", lambda: heard(name, given_back))

    def closed():
        native(waiting, f"{prefix}-NATIVE-2")
        code, _ = waiting.close(f"{prefix}-NATIVE-2")
        return code == 204 and said(waiting.query(out_trade_no=f"{prefix}-NATIVE-2"), 200, trade_state="CLOSED")[0], "CLOSED"

    attempt(sdk, "close", closed)

    def bill():
        _, text = pay.trade_bill(TODAY.strftime("%Y-%m-%d"))
        url = json.loads(text)["download_url"]
        _, data = pay.download_bill(PAYING + url[url.index("/v3/"):])
        text = gzip.decompress(data).decode()
        return f"`{number}," in text and f"`{order}," in text, f"{text.count(chr(10))} lines"

    attempt(sdk, "tradebill", bill)
    attempt(sdk, "an unknown order", lambda: said(pay.query(out_trade_no="NEVER-MADE-1"), 404, code="ORDER_NOT_EXIST"))


v2()
v3("wechatpayv3, public key", "PYKEY", public_key=secret("pub_key.pem"), public_key_id=secret("pub_key.id"))
v3("wechatpayv3, certificate", "PYCERT")
sys.exit(wrong > 0)
