#include <amphibus/base/error.hpp>
#include <amphibus/base/event.hpp>

#include <array>
#include <cstdio>

namespace amphibus {
namespace {

constexpr std::size_t file_size_max_bytes = 4'096;  // PATH_MAX: a path is cut nowhere

std::string position(const error_location& where) {
  if (where.file.empty()) return {};
  std::string out = escaped(where.file, file_size_max_bytes);
  if (where.line > 0) out += ":" + std::to_string(where.line);
  if (where.line > 0 && where.column > 0) out += ":" + std::to_string(where.column);
  return out + ": ";
}

}  // namespace

std::shared_ptr<const error> detail::keep(error why) { return std::make_shared<const error>(std::move(why)); }

std::string to_string(error_code code) {
  std::array<char, 16> out{};
  std::snprintf(out.data(), out.size(), "AMB-E%04u", static_cast<unsigned>(code));
  return out.data();
}

error::error(error_code code, std::string what, std::string mend, error_location where)
    : code_(code), text_(std::move(what)), mend_(std::move(mend)), where_(std::move(where)) {
  full_ = position(where_) + to_string(code_) + ": " + text_;
  if (!mend_.empty()) full_ += "\n  mend: " + mend_;
}

}  // namespace amphibus
