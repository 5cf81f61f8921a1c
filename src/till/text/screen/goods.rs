//! The sale that is rung up, the search for goods, and what was put aside.

crate::catalogue! {
    /// The texts of a sale with lines.
    pub struct GoodsPageWords;

    // The list of lines.
    sale => "Sale", "商品清单";
    item => "Item", "商品";
    total => "Total", "合计";
    items(count: usize) => "lines: {count}", "共 {count} 行";
    discount => "Discount", "折扣";
    whole_sale => "Whole sale", "整单";
    scan_or_charge => "Scan the next product, or press Enter to charge.", "请扫下一件商品，或按回车键收款。";
    enter_adds => "Press Enter to add it to the sale.", "按回车键加入清单。";
    enter_changes => "Press Enter to change the marked line.", "按回车键修改所选行。";
    scan_so_many => "Scan the product, or press Enter to change the marked line.", "请扫商品，或按回车键修改所选行的数量。";
    looking => "Looking it up...", "正在查找…";

    // The search.
    title => "Goods", "商品";
    prompt =>
        "Type a part of the name, the first letters of its pinyin, or digits of the code.",
        "输入名称、拼音首字母或条码数字。";
    found(count: usize) => "{count} found", "找到 {count} 种";
    none => "No such product.", "没有符合的商品。";
    no_catalogue_yet =>
        "There is no catalogue yet: `paytill goods import` makes one.",
        "还没有商品目录，请用 paytill goods import 导入。";

    // Put aside.
    held_title => "Sales on hold", "挂单";
    held_what => "Choose the sale to go on with.", "请选择要取回的挂单。";

    // Questions.
    ask_discard(count: usize) => "Discard this sale of {count} lines?", "清空这 {count} 行商品？";
    ask_discard_detail => "F3 puts it on hold instead.", "如需保留，可按 F3 挂单。";

    // What the keys do.
    key_goods => "Goods", "商品";
    key_hold => "Hold", "挂单";
    key_recall => "Recall", "取单";
    key_lines_back => "Lines again", "恢复清单";
    key_add => "Add", "加入";
    key_take => "Recall", "取回";
    key_discard => "Discard", "清空";
    key_keep => "Keep", "保留";

    // Notes.
    unknown(code: &str) =>
        "No product in the catalogue has the code {code}.", "商品目录中没有条码 {code}。";
    failed(why: &str) => "The product cannot be looked up: {why}.", "无法查找商品：{why}。";
    still_looking =>
        "A product is still being looked up. Press Enter again.", "正在查找商品，请稍后再按回车键。";
    nothing_due => "There is nothing to pay.", "应付金额为零，无需收款。";
    too_many_lines(most: usize) =>
        "A sale has at most {most} lines.", "一单最多 {most} 行。";
    too_large(most: &str) => "The limit for one sale is {most}.", "单笔金额不能超过 {most}。";
    more_than_there_is =>
        "A discount cannot be more than the price.", "折扣不能超过商品金额。";
    quantity_such_as =>
        "Enter a quantity such as 3* or 0.345*; 0* removes the marked line.",
        "数量请输入 3* 或 0.345*；输入 0* 可删除所选行。";
    discount_such_as =>
        "Enter a discount such as 10% or -2.50.", "折扣请输入 10%（减 10%）或 -2.50（减 2.50）。";
    above_limit(limit: &str) =>
        "The limit for discounts is {limit}.", "折扣不能超过 {limit}。";
    scan_again => "The product was not added: scan it again.", "商品未加入，请再扫一次。";
    label_once =>
        "A label from the scales stands for one package: scan each.", "称重标签每份只代表一件，请逐件扫描。";
    held(sum: &str) => "The sale of {sum} is on hold. F3 recalls it.", "{sum} 的商品清单已挂单，按 F3 取单。";
    nothing_held => "No sale is on hold.", "没有挂单。";
    held_not_read => "The sales on hold are still being read.", "正在读取挂单，请稍候再按。";
    too_many_held(most: usize) =>
        "At most {most} sales can be on hold.", "最多挂 {most} 单。";
    not_kept(why: &str) =>
        "What is on hold cannot be saved, and will be lost when the till stops: {why}.",
        "挂单无法保存，收银机停止后会丢失：{why}。";
    held_unreadable(why: &str) =>
        "What was on hold cannot be read: {why}.", "无法读取之前的挂单：{why}。";
}
