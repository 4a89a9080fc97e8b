"""The same theme in Chinese and in English: words of service that mean the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["link_languages", "meanings"]

# English stems to the left, Chinese words to the right; a line is a meaning.
_SAME = """
refund|money back = 退款 退钱 退费 返还
return = 退货 退回
account = 账户 账号 帐号
password|passcode = 密码
login|log|sign = 登录 登陆
code|verif = 验证码 验证 校验
crash|freez = 闪退 崩溃 卡死 死机
error|bug|fault = 报错 错误 故障 出错
slow|lag = 太慢 很慢 缓慢 卡顿
page|screen|website = 页面 网页 屏幕 网站
app|application = 应用 软件 客户端
update|upgrade|version = 更新 升级 版本
network|signal|internet = 网络 信号 宽带
phone|mobile = 手机 电话
invoice|receipt = 发票 收据
bill|statement = 账单 对账单
charg|fee|cost = 费用 收费 扣费 手续费 扣款
twice|double|duplicate = 两次 重复 多次
price|expens = 价格 价钱 太贵
discount|coupon|voucher|promotion = 优惠 优惠券 折扣 活动
pay|payment|paid = 支付 付款 缴费
card = 银行卡 信用卡
transfer = 转账 汇款
deliver|shipping|shipment = 送货 配送 发货 送达
parcel|package = 包裹 快递 快件
courier|driver = 快递员 配送员 司机
address = 地址
late|delay = 延误 延迟 迟到 超时
wait|queue = 等待 排队 等候
lost|missing = 丢失 不见 遗失
damag|broken = 破损 损坏 坏了
quality = 质量
repair|fix = 维修 修理 报修
warrant|guarantee = 保修 质保
exchange|replac = 换货 更换 调换
cancel = 取消 退订 注销
order = 订单 下单
stock|available = 有货 库存 缺货
document|paper|form|proof = 材料 资料 文件 证件 证明
submit|upload|send|sent|hand = 提交 上传 补交 递交
again|same|repeat|third|second = 再次 同样 又要 重新
staff|agent|employee|service = 客服 员工 工作人员 人员
attitude|rude|polite|impolite = 态度 服务态度
complain = 投诉
answer|reply|respon = 回复 答复 回应
call|hotline = 热线 来电 拨打
appointment|booking|reserv = 预约 预订 预定
contract = 合同 协议
insurance|pension = 保险 社保 医保 养老
salary|wage|pay day = 工资 薪资
school|student|teacher = 学校 学生 老师 教育
hospital|doctor|patient = 医院 医生 病人
road|traffic|parking = 道路 交通 停车
bus|train|metro|subway = 公交 火车 地铁
water|electric|power = 停水 停电 水电 供水
noise|pollut|smell = 噪音 噪声 污染 异味
house|apartment|property = 房屋 房子 小区 物业
permit|licen|approv = 许可 审批 办证 执照
identity|passport = 身份证 护照 身份
points|reward = 积分 会员
subscri|plan|tariff = 套餐 资费
open|hours = 营业时间 营业
"""
_PAIRS = [
    (tuple(left.strip().split("|")), frozenset(right.split()))
    for left, right in (line.split("=") for line in _SAME.strip().splitlines())
]
_LEAST, _SURE = 2, 3
"""Made-up texts of known themes: four in five of the links by three shared meanings were right, by two one in two."""


def meanings(words: Sequence[str]) -> set[int]:
    """Return the numbers of the meanings that words in either language have; words of no service have none."""
    return {
        number
        for number, (stems, chinese) in enumerate(_PAIRS)
        if any(word in chinese or word.startswith(stems) for word in words)
    }


def link_languages(table: pd.DataFrame, *, sure: bool = False) -> NDArray[np.int64]:
    """Say which themes are one in two languages.

    A theme is one with the theme of the other language with which it shares more meanings than with any other: at least
    three, so that several may be one with the same, or two when each is the other's nearest.

    Parameters
    ----------
    table : pandas.DataFrame
        terms_zh and terms_en, a row per theme.
    sure : bool
        Whether two meanings are never enough.

    Returns
    -------
    numpy.ndarray of int
        For each theme the place of the first theme that it is one with, its own when there is none.
    """
    spoken = [len(zh) > len(en) for zh, en in zip(table["terms_zh"], table["terms_en"], strict=True)]
    terms = zip(table["terms_zh"], table["terms_en"], spoken, strict=True)
    said = [meanings(zh if is_zh else en) for zh, en, is_zh in terms]
    shared = np.array([[len(a & b) for b in said] for a in said], dtype=float).reshape(len(said), len(said))
    shared[np.equal.outer(spoken, spoken)] = 0
    out = np.arange(len(said))
    for one, row in enumerate(shared):
        most = row.max(initial=0)
        other = int(row.argmax()) if most else one
        mutual = shared[other].argmax() == one and (shared[other] == most).sum() == 1
        if (row == most).sum() == 1 and (most >= _SURE or (most >= _LEAST and mutual and not sure)):
            first, second = sorted((out[one], out[other]))
            out[out == second] = first
    return out
