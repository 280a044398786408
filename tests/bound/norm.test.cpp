// SPDX-License-Identifier: MIT
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

#include <doctest/doctest.h>

#include <sigmax/bound/norm.hpp>

namespace norm = sigmax::norm;

TEST_CASE("a norm of run time knows the tag it was made from") {
  norm::any const norms[] = {norm::l2, norm::linf, norm::rms};
  char const* const names[] = {"l2", "linf", "rms"};
  for (int i = 0; i < 3; ++i) {
    CHECK(std::string_view(norms[i].name()) == names[i]);
    CHECK(std::string_view(norms[i].visit([](auto tag) { return decltype(tag)::name; })) == names[i]);
    for (int j = 0; j < 3; ++j) CHECK((norms[i] == norms[j]) == (i == j));
  }
  norm::any changed = norm::l2;
  changed = norm::rms;
  CHECK(changed == norm::rms);
  CHECK(changed != norm::linf);
}

TEST_CASE("visiting hands over the type of the tag, and returns what the visitor returns") {
  int calls = 0;
  norm::any(norm::linf).visit([&](auto tag) {
    ++calls;
    CHECK(std::same_as<decltype(tag), norm::linf_t>);
  });
  CHECK(calls == 1);
  int target = 0;
  norm::any(norm::rms).visit([&](auto) -> int& { return target; }) = 7;
  CHECK(target == 7);
  static_assert(norm::any(norm::rms).visit([](auto tag) { return std::same_as<decltype(tag), norm::rms_t>; }));
}

TEST_CASE("tags are values of distinct types, and operator norms are types") {
  static_assert(norm::l2 == norm::l2 && norm::any(norm::l2) == norm::any(norm::l2));
  static_assert(sigmax::norm_tag<norm::l2_t> && sigmax::norm_tag<norm::linf_t> && sigmax::norm_tag<norm::rms_t>);
  static_assert(!sigmax::norm_tag<norm::any> && !sigmax::norm_tag<int> && !sigmax::norm_tag<norm::l2_t const>);
  static_assert(std::same_as<sigmax::op<norm::rms_t>, sigmax::op<norm::rms_t, norm::rms_t>>);
  static_assert(!std::same_as<sigmax::op<norm::rms_t, norm::l2_t>, sigmax::op<norm::l2_t, norm::rms_t>>);
  static_assert(std::same_as<norm::spectral::in, norm::l2_t> && std::same_as<norm::spectral::out, norm::l2_t>);
  static_assert(!std::is_convertible_v<norm::l2_t, norm::linf_t> && !std::is_default_constructible_v<norm::any>);
  static_assert(std::is_trivially_copyable_v<norm::any> && sizeof(norm::any) == 1);
}
