#include "rules.hpp"

#include <algorithm>
#include <optional>

namespace amphibus::schema {
namespace {

struct rule_text {
  std::string_view name;
  std::string_view why;
};

constexpr std::array<rule_text, rule_count> texts{{
    {"table_removed", "programs that still send or expect it find nobody"},
    {"kind_changed", "a table, a struct, an enum and a union have different bytes"},
    {"major_lowered", "the lower major already means something else"},
    {"topic_changed", "old and new programs would publish past each other"},
    {"root_changed", "a reader of the file would take one table for another"},
    {"identifier_changed", "readers that check the identifier refuse the other's buffers"},
    {"field_removed", "old readers see its default, and its id could be given to something else"},
    {"field_renamed",
     "old and new programs would mean different things by one id, or the same thing in JSON by two names"},
    {"field_moved", "old readers look for it at the old id"},
    {"field_type", "old readers take its bytes for something else"},
    {"field_default", "a default is not sent: each side would read its own"},
    {"field_required", "who knows it as required refuses messages without it"},
    {"field_key", "vectors are searched by the key they were sorted by"},
    {"struct_layout", "a struct has no room for change: every byte has its place"},
    {"enum_underlying", "old readers read another number of bytes, or values mean flags"},
    {"enum_value_removed", "old programs still send it"},
    {"enum_value_renamed", "old and new programs would mean different things by one number"},
    {"enum_value_moved", "old readers know it by its old number"},
    {"union_member_removed", "old programs still send it"},
    {"union_member_renamed", "old and new programs would mean different things by one number"},
    {"union_member_moved", "old readers take its bytes for another table"},
}};

const rule_text& text_of(rule which) { return texts[static_cast<std::size_t>(which) - 1]; }

template <class Members>
auto by_name(const Members& in, const std::string& name) {
  return std::find_if(in.begin(), in.end(), [&](const auto& each) { return each.name == name; });
}

class comparison {
 public:
  comparison(const model& locked, const model& now) : locked_(locked), now_(now) {}

  std::vector<finding> run() {
    for (const auto& [name, before] : locked_.definitions) {
      const auto found = now_.definitions.find(name);
      if (found == now_.definitions.end()) {
        if (before.kind == definition_kind::table) whole(rule::table_removed, before, nullptr);
      } else if (found->second.kind != before.kind) {
        whole(rule::kind_changed, before, &found->second);
      } else {
        compare(before, found->second);
      }
    }
    for (const auto& [name, before] : locked_.files) {
      const auto found = now_.files.find(name);
      if (found != now_.files.end()) compare(before, found->second);
    }
    demand();
    return std::move(out_);
  }

 private:
  finding& add(rule broken, const std::string& name, const std::string& before, const std::string& now) {
    finding& made = out_.emplace_back();
    made.broken = broken;
    made.definition = name;
    made.before = before;
    made.now = now;
    return made;
  }
  void whole(rule broken, const definition& before, const definition* now) {
    add(broken, before.name, head_line(before), now == nullptr ? "" : head_line(*now));
  }

  void compare(const schema_file& before, const schema_file& now) {
    if (before.root.empty()) return;
    if (before.root != now.root) add(rule::root_changed, before.root, file_line(before), file_line(now));
    if (before.identifier != now.identifier)
      add(rule::identifier_changed, before.root, file_line(before), file_line(now));
  }

  void compare(const definition& before, const definition& now) {
    switch (before.kind) {
      case definition_kind::table: return compare_tables(before, now);
      case definition_kind::structure:
        if (schema::text_of(before) != schema::text_of(now)) compare_structs(before, now);
        return;
      case definition_kind::enumeration:
        if (before.underlying != now.underlying || before.bit_flags != now.bit_flags)
          whole(rule::enum_underlying, before, &now);
        return compare_values(before, now, rule::enum_value_removed, rule::enum_value_renamed, rule::enum_value_moved);
      case definition_kind::union_type:
        return compare_values(before, now, rule::union_member_removed, rule::union_member_renamed,
                              rule::union_member_moved);
    }
  }

  void compare_tables(const definition& before, const definition& now) {
    if (now.major < before.major) whole(rule::major_lowered, before, &now);
    if (!before.topic.empty() && before.topic != now.topic) whole(rule::topic_changed, before, &now);
    for (const field& each : before.fields) compare_field(before, now, each);
    for (const field& each : now.fields) {
      const bool fresh = by_name(before.fields, each.name) == before.fields.end() && !holder_of(before, each.id);
      if (fresh && each.required) member(rule::field_required, before, nullptr, now, &each);
      if (fresh && each.key) member(rule::field_key, before, nullptr, now, &each);
    }
  }

  void compare_structs(const definition& before, const definition& now) {
    for (const field& each : before.fields) {
      const auto same = by_name(now.fields, each.name);
      const bool kept = same != now.fields.end() && member_line(now, *same) == member_line(before, each);
      if (!kept) member(rule::struct_layout, before, &each, now, same == now.fields.end() ? nullptr : &*same);
    }
    for (const field& each : now.fields) {
      // Even one that fits into the padding: who copies the old struct would not carry it.
      if (!by_name_in(before, each.name)) member(rule::struct_layout, before, nullptr, now, &each);
    }
    if (head_line(before) != head_line(now)) whole(rule::struct_layout, before, &now);
  }

  static std::optional<field> holder_of(const definition& in, unsigned id) {
    const auto found = std::find_if(in.fields.begin(), in.fields.end(), [&](const field& f) { return f.id == id; });
    return found == in.fields.end() ? std::nullopt : std::optional(*found);
  }

  void member(rule broken, const definition& before, const field* old, const definition& now, const field* fresh) {
    finding& made = add(broken, before.name, old == nullptr ? "" : member_line(before, *old),
                        fresh == nullptr ? "" : member_line(now, *fresh));
    made.member = old == nullptr ? fresh->name : old->name;
    made.now_member = fresh == nullptr ? "" : fresh->name;
  }

  void compare_field(const definition& before, const definition& now, const field& old) {
    const auto same = by_name(now.fields, old.name);
    if (same == now.fields.end()) {
      const auto holder = holder_of(now, old.id);
      const bool renamed = holder && holder->type == old.type && !by_name_in(before, holder->name);
      return member(renamed ? rule::field_renamed : rule::field_removed, before, &old, now,
                    holder ? &*holder : nullptr);
    }
    const auto report = [&](rule broken) { member(broken, before, &old, now, &*same); };
    if (same->id != old.id) return report(rule::field_moved);
    if (same->type != old.type) return report(rule::field_type);
    if (same->default_value != old.default_value) report(rule::field_default);
    const bool retired = same->deprecated && !old.deprecated;
    if (same->required != old.required || (old.required && retired)) report(rule::field_required);
    if (same->key != old.key) report(rule::field_key);
  }
  static bool by_name_in(const definition& in, const std::string& name) {
    return by_name(in.fields, name) != in.fields.end();
  }

  void compare_values(const definition& before, const definition& now, rule removed, rule renamed, rule moved) {
    for (const value& old : before.values) {
      const auto same = by_name(now.values, old.name);
      const auto holder = std::find_if(now.values.begin(), now.values.end(),
                                       [&](const value& each) { return each.number == old.number; });
      const bool there = same != now.values.end();
      if (there && same->number == old.number && same->type == old.type) continue;
      const bool other_name = !there && holder != now.values.end() && holder->type == old.type &&
                              by_name(before.values, holder->name) == before.values.end();
      const auto shown = there ? same : holder;
      finding& made = add(there        ? moved
                          : other_name ? renamed
                                       : removed,
                          before.name, member_line(old), shown == now.values.end() ? "" : member_line(*shown));
      made.member = old.name;
      made.now_member = shown == now.values.end() ? "" : shown->name;
    }
  }

  /// Which tables must answer a finding with a higher major; a finding that all have answered is none.
  void demand() {
    for (const auto& [name, table] : locked_.definitions) {
      if (table.kind != definition_kind::table) continue;
      const unsigned needed = needed_by(table);
      if (needed == answered) continue;
      const auto contains = reach(locked_, name);
      for (finding& each : out_) {
        if (each.definition == name || (needed != 0 && !own(each.broken) && contains.contains(each.definition)))
          each.needs.emplace_back(name, needed);
      }
    }
    std::erase_if(out_, [](const finding& each) { return each.needs.empty(); });
  }

  /// True where a message that only contains the table has the same bytes as before.
  static bool own(rule of) {
    return of == rule::table_removed || of == rule::major_lowered || of == rule::topic_changed ||
           of == rule::root_changed || of == rule::identifier_changed;
  }

  static constexpr unsigned answered = 65'536;
  [[nodiscard]] unsigned needed_by(const definition& table) const {
    const auto found = now_.definitions.find(table.name);
    if (found == now_.definitions.end() || found->second.kind != definition_kind::table) return 0;
    return found->second.major > table.major ? answered : table.major + 1;
  }

  const model& locked_;
  const model& now_;
  std::vector<finding> out_;
};

}  // namespace

std::string name_of(rule which) {
  const auto number = std::to_string(static_cast<unsigned>(which));
  return "AMB-S" + std::string(number.size() < 2 ? "0" : "") + number + " " + std::string(text_of(which).name);
}

std::string_view why(rule which) noexcept { return text_of(which).why; }

std::vector<finding> judge(const model& locked, const model& now) { return comparison(locked, now).run(); }

}  // namespace amphibus::schema
