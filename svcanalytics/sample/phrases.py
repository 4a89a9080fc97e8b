"""The words customers and agents use, Chinese and English side by side."""

# Sentences stay on one line each, Chinese beside English, so that they can be read as a list.
# ruff: noqa: E501

from __future__ import annotations

from types import MappingProxyType

__all__ = [
    "ASKS", "BANTER", "CAUSE_WORDS", "COMMENTS", "FORM_LETTERS", "PRODUCTS", "REPLIES", "RISKS", "TAILS", "TOPICS",
]  # fmt: skip

# fmt: off
PRODUCTS = ("智能手表 Smart-watch", "扫地机器人 Robot-vacuum", "净水器 Water-filter", "会员服务 Membership", "配件 Accessories")

TOPICS = (
    {
        "delivery": ("快递三天没有更新，一直停在中转站。", "包裹显示签收但我没收到。", "说好今天送到，现在还没消息。"),
        "refund": ("退款申请一周了还没到账。", "退货早就签收，钱一直没退。", "应用里显示退款审核中，没人处理。"),
        "quality": ("收到的商品开机就有异响。", "用了两天就坏了。", "外壳有裂缝，像是二手的。"),
        "billing": ("这个月账单比上月多扣了一笔。", "发票抬头开错了。", "优惠券没有抵扣。"),
        "account": ("登录不上账户，收不到验证码。", "想更换绑定的手机。", "会员等级显示不对。"),
        "technical": ("升级以后应用闪退。", "设备连不上网络，指示灯一直闪。", "应用登录后又被退出。"),
        "product": ("想了解这款产品的保修政策。", "这款支持国际版电源吗。", "会员有什么权益。"),
        "attitude": ("接电话的人很不耐烦。", "态度特别好，讲得很清楚。", "话没说完就挂了电话。"),
        "environment": ("大厅座位太少，排队的地方很热。", "自助机坏了没人管。", "窗口标识看不清。"),
    },
    {
        "delivery": ("The parcel has not moved for three days.", "It says delivered but nothing arrived.", "It was due today and there is no news."),
        "refund": ("I asked for a refund a week ago and the money is not there.", "You have the return, where is my refund?", "The app has shown the refund under review for days."),
        "quality": ("It makes a strange noise.", "It broke after two days.", "The case is cracked, it looks used."),
        "billing": ("I was charged twice this month.", "The name on the invoice is wrong.", "My coupon was not applied."),
        "account": ("I can't sign in, the code never comes.", "I want to change my number.", "My member level is wrong."),
        "technical": ("The app crashes since the update.", "The device does not connect, the light keeps blinking.", "I am signed out of the app again and again."),
        "product": ("What does the warranty cover?", "Does it work with a foreign plug?", "What do members get?"),
        "attitude": ("The person on the phone was impatient.", "Very friendly and clear.", "They hung up on me."),
        "environment": ("Not enough seats and too hot.", "The kiosk is broken.", "The signs are hard to read."),
    },
)
"""Language (0 Chinese, 1 English), category: what it is about."""

ASKS = (
    (
        ("请问怎么办理？", "请问要多久？"), ("我要投诉，请给说法。", "这样的服务不能接受。"), ("请帮忙处理一下。", "麻烦尽快解决。"),
        ("特此反映情况，希望核查。",), ("谢谢你们，提出表扬。",), ("建议增加提醒功能。", "建议延长服务时间。"),
        ("要求退换。", "请安排售后。"), ("想预约上门。", "想预约到店办理。"), ("请派人维修。",), ("监控告警：服务不可用。",),
    ),
    (
        (" How do I do that?", " How long will it take?"), (" I want to make a complaint.", " This is not acceptable."), (" Please help.", " Please sort it out soon."),
        (" I am reporting this so that you check it.",), (" Thank you, well done.",), (" Please add a reminder.", " Longer hours would help."),
        (" I want it exchanged.", " Please arrange after-sales service."), (" I would like to book a visit.",), (" Please send someone to repair it.",), (" Monitoring alert: service unavailable.",),
    ),
)
"""Language, business type: what the customer wants."""

RISKS = (("再不处理我就找媒体曝光。", "我会找律师起诉你们。", "我要向消协举报。"), (" I will talk to my lawyer.", " The newspaper will hear of it.", " I shall go to the regulator."))

TAILS = (
    ("", "我的电话{mobile}，请回电。", "联系邮箱{email}。", "身份证号{resident}。", "银行卡{card}，请退到这张卡。", "座机{landline}。", "车牌{plate}，停在门口。", "订单号{order}。", "护照号{passport}。"),
    ("", " Call me on {phone}.", " My e-mail is {email}.", " Please refund to card {card}.", " My number here is {mobile}.", " Order {order}.", " Write to {email} please.", " Call {phone} after six.", " Passport {passport}."),
)
"""Language: what some add, with an identifier."""

CAUSE_WORDS = MappingProxyType({
    "delivery": ("分拣错误 sorting error", "承运延误 carrier delay", "地址有误 wrong address"),
    "refund": ("供应商未确认 supplier has not confirmed", "审核积压 review backlog", "账户信息不符 account mismatch"),
    "quality": ("出厂缺陷 factory defect", "运输损坏 damaged in transit", "使用不当 misuse"),
    "billing": ("重复扣费 double charge", "规则说明不清 unclear rules", "系统计算错误 wrong calculation"),
    "account": ("短信延迟 text message delayed", "操作不熟 customer unsure", "系统限制 system limit"),
    "technical": ("版本缺陷 faulty version", "网络问题 network", "设置错误 wrong setting"),
    "product": ("说明不足 poor description", "咨询 question only", "政策变化 changed policy"),
    "attitude": ("服务规范 conduct", "误会 misunderstanding", "等待过久 long wait"),
    "environment": ("设备故障 equipment fault", "空间不足 too little space", "标识不清 unclear signs"),
})
"""Category: the cause as recorded, Chinese and English."""

REPLIES = (
    (
        "您好，经核实，您反映的问题原因为{reason}，涉及{product}，我们已为您处理完毕，请查收。",
        "您好，关于{product}的问题，原因是{reason}，已安排专人跟进并将在两日内给您结果。",
        "尊敬的客户，您咨询的{product}事宜已核查：{reason}。具体办理方式已发送到您的应用消息。",
    ),
    (
        "We looked into it: the cause was {reason}, about your {product}. It has been put right, please check.",
        "About your {product}: we found {reason}. A colleague follows this up and tells you the result within two days.",
        "Thank you for asking about {product}. What we found: {reason}. The steps to take are in your app messages.",
    ),
)
"""Language: replies with their reason."""

FORM_LETTERS = (
    ("您好，您的来信已收悉。", "您好，您反映的问题已转相关部门。"),
    ("Your message has been received.", "Thank you, your request has been noted."),
)

COMMENTS = (
    (("很满意，处理很快。", "Very happy, quick answer."), ("客服耐心。", "Patient and kind."), ("一次就解决了，点赞。", "Solved at once."), ("比以前快多了。", "Much faster than before.")),
    (("一般，等了有点久。", "All right, but a bit of a wait."), ("解决了但过程复杂。", "Solved, but complicated."), ("还行。", "It was okay."), ("希望流程简单些。", "Please make it simpler.")),
    (("等太久了，没人接。", "Waited far too long."), ("说了三遍还没解决。", "Explained three times, still not solved."), ("态度冷淡，推来推去。", "Cold tone, sent from one to the next."), ("退款还是没到，请回电13800001234。", "Still no refund, call me on +1 202 555 0143.")),
)
"""Mood (happy, so-so, unhappy): Chinese and English pairs."""

BANTER = (
    (
        ("bot", "您好，我是智能助手，请描述您的问题。"), ("customer", "{topic}"), ("bot", "为您找到常见解答，是否解决？"),
        ("customer", "没有，转人工。"), ("agent", "您好，客服为您服务，请提供订单号。"), ("customer", "{tail}"), ("agent", "已经记录，稍后为您处理，请放心。"), ("customer", "{end}"),
    ),
    (
        ("bot", "Hello, I am the assistant. What can I do for you?"), ("customer", "{topic}"), ("bot", "Does this answer help?"),
        ("customer", "No, a person please."), ("agent", "Hello, I am here to help. Your order number, please?"), ("customer", "{tail}"), ("agent", "Noted, we take care of it."), ("customer", "{end}"),
    ),
)
"""Language: a chat with bot and hand-over."""
# fmt: on
