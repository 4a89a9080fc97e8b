"""What customers of the made-up organisation write: themes by category, in Chinese and English, worded freely."""

# Sentences stay on one line each so that they can be read as a list.

from __future__ import annotations

import numpy as np

__all__ = ["NEW_THEME", "write"]

NEW_THEME = "documents_again"

_EN = {
    "technical": [
        "the app crashes when I open {thing}",
        "I cannot log in since {when}, the page stays white",
        "the code to log in never arrives",
        "{thing} does not load on my phone",
        "error message every time I press save in {thing}",
        "the page is so slow that I gave up",
    ],
    "refund": [
        "I sent the goods back {when} and my refund has not come",
        "when will I get my money back for {thing}",
        "refund refused without a reason",
        "the refund for {thing} is too low",
        "you promised a refund {when}",
        "I want to return {thing}",
    ],
    "billing": [
        "the invoice for {thing} is wrong",
        "I was charged twice for {thing}",
        "please explain the fee on my bill of {when}",
        "my invoice shows the wrong company name",
        "the discount is missing on my bill",
        "I need a copy of the invoice of {when}",
    ],
    "delivery": [
        "my parcel with {thing} has not arrived",
        "the courier left {thing} at a wrong address",
        "delivery was promised {when}",
        "{thing} came damaged",
        "tracking has not moved since {when}",
        "please change the delivery address for {thing}",
    ],
    "account": [
        "please change my phone number",
        "I want to close my account",
        "how do I add a second user to my account",
        "my points are gone since {when}",
        "my account is locked",
        "the address in my account is out of date",
    ],
    "advice": [
        "which plan fits {thing}",
        "what are your opening hours",
        "do you offer {thing} in other colours",
        "how long is the warranty for {thing}",
        "is {thing} available {when}",
        "what papers do I need for {thing}",
    ],
    NEW_THEME: [
        "I was asked to send the same documents again although I uploaded them {when}",
        "why must I submit my identity papers a second time",
        "your staff wants the same forms again, I already sent everything for {thing}",
        "third time that you ask for the same proof of purchase",
        "documents already handed in and now requested again",
        "you keep asking for papers that you already have",
    ],
}
_ZH = {
    "technical": [
        "打开{thing}的时候应用闪退",
        "从{when}开始登录不了\uff0c页面一直空白",
        "登录验证码一直收不到",
        "手机上{thing}加载不出来",
        "{thing}点保存就报错",
        "页面太慢\uff0c等了半天打不开",
    ],
    "refund": [
        "{when}就把东西寄回去了\uff0c退款还没到账",
        "{thing}的钱什么时候退给我",
        "没有理由就拒绝退款",
        "{thing}退款金额不对\uff0c少退了",
        "{when}答应退款到现在没有退",
        "我要退货退款\uff0c{thing}不要了",
    ],
    "billing": [
        "{thing}的发票开错了",
        "{thing}重复扣费两次",
        "{when}账单上的费用请解释一下",
        "发票抬头公司名称写错了",
        "账单没有按优惠价计算",
        "需要补开{when}的发票",
    ],
    "delivery": [
        "{thing}的快递一直没有送到",
        "快递员把{thing}送错地址了",
        "说好{when}送到的",
        "{thing}收到的时候已经破损",
        "物流信息从{when}起就没更新",
        "请帮我改一下{thing}的收货地址",
    ],
    "account": [
        "请帮我更换绑定的手机号",
        "我要注销账户",
        "账户怎么添加第二个使用人",
        "会员积分{when}不见了",
        "账户被锁定了",
        "账户里的地址需要更新",
    ],
    "advice": [
        "{thing}选哪个套餐合适",
        "请问营业时间是几点到几点",
        "{thing}有没有别的颜色",
        "{thing}保修期多长",
        "{thing}{when}还有货吗",
        "办理{thing}需要带什么",
    ],
    NEW_THEME: [
        "{when}已经上传过材料了\uff0c又要我重新提交一遍材料",
        "为什么身份证明材料要重复提交两次",
        "{thing}的材料都交齐了\uff0c客服又让补交同样的材料",
        "同样的购买证明材料已经是第三次要我提交了",
        "材料早就交过\uff0c现在又通知重复提交",
        "你们一直要我提交已经提交过的材料",
    ],
}
_THING = {
    "en": [
        "the headset",
        "my order",
        "the family plan",
        "the router",
        "the watch",
        "the annual card",
        "the printer",
        "the gift box",
    ],
    "zh": ["耳机", "这个订单", "家庭套餐", "路由器", "手表", "年卡", "打印机", "礼盒"],
}
_WHEN = {
    "en": ["last week", "on Monday", "two weeks ago", "yesterday", "last month", "three days ago"],
    "zh": ["上周", "周一", "两周前", "昨天", "上个月", "三天前"],
}
_OPEN = {
    "en": ["", "", "Hello, ", "Good morning, ", "Again: ", "Hi, "],
    "zh": ["", "", "你好\uff0c", "请问一下\uff0c", "再次反映\uff0c", "客服你好\uff0c"],
}
_CLOSE = {
    "en": [".", ".", ". Please help.", ". Thank you.", ". Please answer soon.", ". I have waited long enough."],
    "zh": [
        "\u3002",
        "\u3002",
        "\uff0c请尽快处理\u3002",
        "\uff0c谢谢\u3002",
        "\uff0c希望给个答复\u3002",
        "\uff0c等了很久了\u3002",
    ],
}


def write(rng: np.random.Generator, theme: np.ndarray, language: np.ndarray) -> list[str]:
    """Write one text per row of `theme` (a category or NEW_THEME) in its language, "en" or "zh"."""
    draws = rng.random((len(theme), 5))
    out = []
    for topic, tongue, (a, b, c, d, e) in zip(theme, language, draws, strict=True):
        sentence = _pick((_EN if tongue == "en" else _ZH)[topic], a)
        sentence = sentence.replace("{thing}", _pick(_THING[tongue], b)).replace("{when}", _pick(_WHEN[tongue], c))
        out.append(_pick(_OPEN[tongue], d) + sentence + _pick(_CLOSE[tongue], e))
    return out


def _pick(choices: list[str], luck: float) -> str:
    return choices[int(luck * len(choices))]
