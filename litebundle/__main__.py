from litebundle.cli import main

main()
