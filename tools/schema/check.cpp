#include "check.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "lock.hpp"
#include "problem.hpp"
#include "rules.hpp"
#include "source.hpp"

namespace amphibus::schema {
namespace {

/// All schemas of a check together, and where their texts are.
class schema_set {
 public:
  explicit schema_set(const check_options& with) {
    if (with.schemas.empty()) throw problem("", "no schema is given", "name the .fbs or .bfbs files the lock is about");
    for (const std::string& each : with.schemas) {
      all_.push_back(load(each, with.load));
      merge(content_, all_.back().content);
    }
  }
  [[nodiscard]] const model& content() const noexcept { return content_; }

  /// `shop.fbs:12`, as exactly as it can be told.
  [[nodiscard]] std::string where(const definition& of, const std::string& member) const {
    for (const loaded& each : all_) {
      const auto found = each.content.definitions.find(of.name);
      if (found == each.content.definitions.end()) continue;
      const std::string path = each.path_of(found->second.file);
      std::ifstream in(path, std::ios::binary);
      const int line = in ? line_of(std::string{std::istreambuf_iterator<char>(in), {}}, of, member) : 0;
      return line == 0 ? each.path : path + ":" + std::to_string(line);
    }
    return all_.front().path;
  }

 private:
  std::vector<loaded> all_;
  model content_;
};

std::string lock_command(const check_options& with, const std::vector<std::string>& removed = {}) {
  std::string out = "amphibus schema lock --lock " + with.lock;
  for (const std::string& each : removed) out += " --remove " + each;
  for (const std::string& each : with.load.include_folders) out += " -I " + each;
  for (const std::string& each : with.schemas) out += " " + each;
  return out;
}

std::string joined(const std::vector<std::string>& of) {
  std::string out;
  for (const std::string& each : of) out += (out.empty() ? "" : ", ") + each;
  return out;
}

std::string mend_of(const finding& of, const check_options& with) {
  std::vector<std::string> bumps;
  std::vector<std::string> gone;
  for (const auto& [table, major] : of.needs) {
    if (major == 0) {
      gone.push_back(table);
    } else {
      bumps.push_back(table + " (major: " + std::to_string(major) + ")");
    }
  }
  std::string out = "take the change back";
  if (of.broken == rule::field_removed) out += " and mark the field (deprecated)";
  if (!bumps.empty()) out += "; or give a new major to what contains it: " + joined(bumps);
  if (!gone.empty()) out += "; or, if nobody uses it any more: " + lock_command(with, gone);
  return out;
}

void print(const finding& of, const lock& locked, const schema_set& now, const check_options& with, std::FILE* out) {
  const auto& definitions = now.content().definitions;
  const auto found = definitions.find(of.definition);
  const definition& shown = found != definitions.end() ? found->second : locked.content.definitions.at(of.definition);
  const std::string full = of.definition + (of.member.empty() ? "" : "." + of.member);
  const auto line = locked.lines.find(full);
  const auto known = line != locked.lines.end() ? line : locked.lines.find(of.definition);
  const std::string before = of.before.empty() ? "not there" : of.before;
  const std::string after = of.now.empty() ? "not there" : of.now;
  std::fprintf(out, "%s: %s: %s\n", now.where(shown, of.now_member).c_str(), name_of(of.broken).c_str(), full.c_str());
  std::fprintf(out, "  locked: %s (%s:%d)\n", before.c_str(), locked.path.c_str(),
               known == locked.lines.end() ? 1 : known->second);
  std::fprintf(out, "  now:    %s\n  why:    %s\n  mend:   %s\n", after.c_str(), std::string(why(of.broken)).c_str(),
               mend_of(of, with).c_str());
}

/// Without what the user says is gone.
std::vector<finding> remaining(std::vector<finding> of, const std::vector<std::string>& removed) {
  for (finding& each : of) {
    std::erase_if(each.needs, [&](const auto& need) {
      return need.second == 0 && std::find(removed.begin(), removed.end(), need.first) != removed.end();
    });
  }
  std::erase_if(of, [](const finding& each) { return each.needs.empty(); });
  return of;
}

int refuse(const std::vector<finding>& broken, const lock& locked, const schema_set& now, const check_options& with,
           std::FILE* out) {
  for (const finding& each : broken) print(each, locked, now, with, out);
  std::fprintf(out, "%zu incompatible change%s: programs built before would misunderstand.\n", broken.size(),
               broken.size() == 1 ? "" : "s");
  return 1;
}

void write(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  std::ofstream file(fresh, std::ios::binary);
  file << text;
  file.close();
  std::error_code failed;
  if (file) std::filesystem::rename(fresh, path, failed);
  if (!file || failed) throw problem(path, "the lock cannot be written", "check the folder and its rights");
}

}  // namespace

int check(const check_options& with, std::FILE* out) {
  const schema_set now(with);
  const lock locked = read_lock(with.lock);
  const auto broken = judge(locked.content, now.content());
  if (!broken.empty()) return refuse(broken, locked, now, with, out);
  const auto fresh = difference(locked.content, now.content());
  if (fresh.empty()) return 0;
  for (const std::string& each : fresh) std::fprintf(out, "  %s\n", each.c_str());
  std::fprintf(out, "%s: compatible, but not promised yet: the lock does not know the lines above.\n  mend: %s\n",
               with.lock.c_str(), with.accept.empty() ? lock_command(with).c_str() : with.accept.c_str());
  return with.exact ? 1 : 0;
}

int write_lock(const check_options& with, std::FILE* out) {
  const schema_set now(with);
  lock locked;
  locked.path = with.lock;
  const bool first = !std::filesystem::exists(with.lock);
  if (!first) locked = read_lock(with.lock);
  const auto broken = remaining(judge(locked.content, now.content()), with.removed);
  if (!broken.empty()) return refuse(broken, locked, now, with, out);
  const auto fresh = difference(locked.content, now.content());
  for (const std::string& each : fresh) {
    if (!first) std::fprintf(out, "  %s\n", each.c_str());
  }
  write(with.lock, lock_text(now.content()));
  std::fprintf(out, "%s: %zu definitions, %zu lines changed\n", with.lock.c_str(), now.content().definitions.size(),
               fresh.size());
  return 0;
}

int show(const check_options& with, std::FILE* out) {
  const schema_set now(with);
  std::fputs(lock_text(now.content()).c_str(), out);
  for (const auto& [name, each] : now.content().definitions) {
    if (each.kind == definition_kind::table)
      std::fprintf(out, "# hash %016llx %s\n", static_cast<unsigned long long>(hash_of(now.content(), name)),
                   name.c_str());
  }
  return 0;
}

}  // namespace amphibus::schema
