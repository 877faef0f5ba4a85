# To be sourced. timed TITLE COMMAND…: runs a command without its output, says so before, every ten seconds while it
# lasts, and after with the time it took. Where it fails, shows its output, without the middle of a long one, and fails too.

timed() {
  local title=$1 log pid status=0 next=10
  shift
  log=$(mktemp)
  echo "$title …"
  SECONDS=0
  "$@" >"$log" 2>&1 &
  pid=$!
  while sleep 1 && kill -0 "$pid" 2>/dev/null; do
    if [ "$SECONDS" -ge "$next" ]; then
      echo "  $title: $SECONDS s"
      next=$((SECONDS + 10))
    fi
  done
  wait "$pid" || status=$?
  if [ "$status" -eq 0 ]; then
    echo "  $title: done in $SECONDS s"
  else
    echo "  $title: failed after $SECONDS s (exit code $status):"
    if [ "$(wc -l <"$log")" -le 40 ]; then cat "$log"; else head -n 20 "$log" && echo … && tail -n 20 "$log"; fi | sed 's/^/    /'
  fi
  rm -f "$log"
  return "$status"
}
