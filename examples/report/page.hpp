// SPDX-License-Identifier: MIT
/// @file
/// The frame of a page: one HTML file with its style inside, readable in light and dark, on paper and without scripts.
#pragma once

#include <string>

#include "text.hpp"

namespace report {

/// A complete document. `title` is text, `body` is markup.
inline std::string page(std::string const& title, std::string const& body) {
  static constexpr char const* style = R"css(
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6675; --paper: #ffffff; --panel: #f4f6f9; --line: #d5dbe3;
        --stretches: #b3470a; --shrinks: #17695c; --upper: #b3470a; --lower: #1f5fbf; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --soft: #a4afbe; --paper: #14181f; --panel: #1d232d; --line: #38414f;
          --stretches: #f09a5b; --shrinks: #5cc4b2; --upper: #f09a5b; --lower: #7fb0ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
       font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .75rem; }
p { margin: .5rem 0; }
.soft { color: var(--soft); overflow-wrap: anywhere; }
.bound { background: var(--panel); border-radius: .5rem; padding: 1rem 1.25rem; margin: 1.25rem 0; }
.bound strong { font-size: 1.6rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg text.tick, svg text.axis, svg text.value { fill: var(--soft); }
svg .grid { stroke: var(--line); } svg .zero { stroke: var(--soft); }
svg .stretches { fill: var(--stretches); } svg .shrinks { fill: var(--shrinks); }
svg .upper { fill: var(--upper); } svg .lower { fill: var(--lower); } svg .between { fill: var(--line); }
)css";
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         escaped(title) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n<main>\n" + body +
         "</main>\n</body>\n</html>\n";
}

}  // namespace report
