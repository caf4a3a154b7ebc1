"""`make bench`: every measurement, one after the other, each beside its line."""

from bench import devices, epoch, first_loss, page, plan, predict, restart, startup, streaming, takeover, watching


def main() -> None:
    for measurement in (
        startup,
        first_loss,
        epoch,
        streaming,
        devices,
        plan,
        predict,
        restart,
        takeover,
        watching,
        page,
    ):
        print(f"\n== {measurement.__name__.removeprefix('bench.')}: {measurement.__doc__}", flush=True)
        measurement.main()


if __name__ == "__main__":
    main()
