"""`manage.py import_legacy_credentials`: keys of the platform's predecessors, sealed anew."""

import json
import os
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.views.decorators.debug import sensitive_variables

from credentials import legacy_import, legacy_rows
from credentials.legacy import LegacyCipher, LegacyError
from credentials.legacy_import import Outcome

_EXPLANATION = """\
The file is a list of rows (JSON: a list of objects; CSV: a header line) with the columns
  id, user_id or email, exchange, api_key, secret_key, passphrase, is_active, label
or the same in camel case; passphrase, is_active and label may be missing. The three secrets are AES-256-CBC with
PKCS#7 padding in hex or base64, as Node's createCipheriv('aes-256-cbc', key, iv) wrote them. Key and IV come from the
environment, which this command alone reads:
  CREDENTIAL_ENCRYPTION_KEY  32 bytes, as text, in hex or in base64
  CREDENTIAL_IV_KEY          16 bytes, likewise

A row's user is found by id, by --user-map (a JSON object or a CSV of user_id and email), or by its own e-mail
address. Rows of unknown users or exchanges, and rows that do not decrypt, are set aside and listed; the others are
imported. Accounts at exchanges that are not supported yet are kept and not read; those switched off become closed
accounts without a key. A second run imports nothing twice. Keys are checked by the workers afterwards.
"""


class Command(BaseCommand):
    help = "Import exchange keys that were sealed with AES-256-CBC, and seal them anew."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, epilog=_EXPLANATION, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", required=True, type=Path, metavar="EXPORT", help="a .json or .csv file")
        parser.add_argument(
            "--user-map", type=Path, metavar="MAP", help="legacy user ids to e-mail addresses"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="decrypt and check every row, store nothing"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    @sensitive_variables("cipher")
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            cipher = LegacyCipher.parse(
                key=_environment("CREDENTIAL_ENCRYPTION_KEY"), iv=_environment("CREDENTIAL_IV_KEY")
            )
            rows = legacy_rows.read(options["file"])
            emails = legacy_rows.read_user_map(options["user_map"]) if options["user_map"] else {}
        except LegacyError as error:
            raise CommandError(str(error)) from None
        outcome = legacy_import.import_rows(rows, cipher=cipher, emails=emails, is_dry=options["dry_run"])
        if options["json"]:
            document = {"rows": len(rows), **asdict(outcome), "dry_run": options["dry_run"]}
            self.stdout.write(json.dumps(document, indent=2))
        else:
            self._tell(outcome, is_dry=options["dry_run"])
        if outcome.set_aside:
            raise CommandError(f"{len(outcome.set_aside)} of {len(rows)} rows were set aside.")

    def _tell(self, outcome: Outcome, *, is_dry: bool) -> None:
        self.stdout.write(
            f"{outcome.imported} {'would be imported' if is_dry else 'imported'}, {outcome.known} known before,"
            f" {len(outcome.set_aside)} set aside."
        )
        if outcome.waiting:
            self.stdout.write(f"{outcome.waiting} at exchanges that are not supported yet: kept, not read.")
        if outcome.closed:
            self.stdout.write(f"{outcome.closed} were switched off: closed accounts without a key.")
        for one in outcome.set_aside:
            self.stdout.write(f"  row {one.row} ({one.id or 'no id'}): {one.reason}")


def _environment(name: str) -> str:
    """Raises LegacyError."""
    value = os.environ.get(name, "")
    if not value:
        raise LegacyError(f"Set {name} to the value the exporting system had.")
    return value
