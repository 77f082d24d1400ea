"""What can go wrong and be told to a person in one line.

Every module derives its errors from `UndertoneError`; the command line prints the message and exits 1, a page shows
it as an error. The tree:

    UndertoneError
    ├── SettingsError          a setting is missing or malformed                     (settings)
    ├── ServerError            the embedded PostgreSQL cannot be started             (embedded)
    ├── DatabaseError          a database cannot be reached or does not answer       (database)
    ├── CatalogError           a relation or a column that is not there              (catalog)
    ├── ConditionError         a filter that does not fit its column                 (conditions)
    ├── SearchError            a text that cannot be searched for                    (searching)
    ├── LookError              a link that cannot be read, or is too long            (looks)
    ├── StatementError         a person's statement brought no result                (console)
    │   ├── StatementRefused   not sent, or not a question
    │   ├── StatementLimited   stopped by a limit, or because somebody asked for it
    │   └── StatementFailed    the server's own words
    ├── ParameterError         a parameter without a value, or with a wrong one      (parameters)
    ├── PlanError              an answer of the server that is no plan               (plans)
    ├── FavouriteError         a table that cannot be marked                         (favourites)
    ├── LibraryError           a saved query that cannot be kept or found            (library)
    ├── ChartError             a chart that cannot be drawn                          (charts)
    ├── ExportError            an answer that cannot become a file                   (export)
    ├── LoadError              a file that cannot become a table                     (load)
    ├── ModelError             a model that cannot be loaded                         (classifier)
    ├── EvaluationError        labelled texts that cannot be compared                (evaluation)
    ├── ScoringError           a run that cannot be planned, found or changed        (scoring)
    ├── SourceError            rows that cannot be read as they are described        (source_rows)
    ├── TemplateError          a template that names no column                       (template)
    ├── WatchError             a watch that cannot be, or is not there               (watches)
    ├── PublishError           scores that cannot be published                       (published_table)
    └── WorkerError            a worker that cannot be started                       (local_worker)
"""

from __future__ import annotations


class UndertoneError(Exception):
    """Something a person can act on; the message says what happened and what to do, in one line, without secrets."""
