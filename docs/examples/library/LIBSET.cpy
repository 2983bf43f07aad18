      * LIBSET   SYMBOLIC MAPS, MADE BY ASSEMBLING LIBSET.BMS.
      *          DO NOT EDIT: CHANGE THE MAPS AND ASSEMBLE AGAIN.
       01  LIBMENUI.
           02  FILLER PIC X(12).
           02  MBRNCHL    COMP  PIC  S9(4).
           02  MBRNCHF    PICTURE X.
           02  FILLER REDEFINES MBRNCHF.
             03 MBRNCHA    PICTURE X.
           02  MBRNCHI  PIC X(3).
           02  MCHOICL    COMP  PIC  S9(4).
           02  MCHOICF    PICTURE X.
           02  FILLER REDEFINES MCHOICF.
             03 MCHOICA    PICTURE X.
           02  MCHOICI  PIC X(1).
           02  MMSGL    COMP  PIC  S9(4).
           02  MMSGF    PICTURE X.
           02  FILLER REDEFINES MMSGF.
             03 MMSGA    PICTURE X.
           02  MMSGI  PIC X(50).
       01  LIBMENUO REDEFINES LIBMENUI.
           02  FILLER PIC X(12).
           02  FILLER PICTURE X(3).
           02  MBRNCHO  PIC X(3).
           02  FILLER PICTURE X(3).
           02  MCHOICO  PIC X(1).
           02  FILLER PICTURE X(3).
           02  MMSGO  PIC X(50).
       01  LIBLOANI.
           02  FILLER PIC X(12).
           02  LMEMBRL    COMP  PIC  S9(4).
           02  LMEMBRF    PICTURE X.
           02  FILLER REDEFINES LMEMBRF.
             03 LMEMBRA    PICTURE X.
           02  LMEMBRI  PIC X(8).
           02  LBOOKL    COMP  PIC  S9(4).
           02  LBOOKF    PICTURE X.
           02  FILLER REDEFINES LBOOKF.
             03 LBOOKA    PICTURE X.
           02  LBOOKI  PIC X(10).
           02  LNAMEL    COMP  PIC  S9(4).
           02  LNAMEF    PICTURE X.
           02  FILLER REDEFINES LNAMEF.
             03 LNAMEA    PICTURE X.
           02  LNAMEI  PIC X(30).
           02  LTITLEL    COMP  PIC  S9(4).
           02  LTITLEF    PICTURE X.
           02  FILLER REDEFINES LTITLEF.
             03 LTITLEA    PICTURE X.
           02  LTITLEI  PIC X(50).
           02  LDUEL    COMP  PIC  S9(4).
           02  LDUEF    PICTURE X.
           02  FILLER REDEFINES LDUEF.
             03 LDUEA    PICTURE X.
           02  LDUEI  PIC X(8).
           02  LOWEDL    COMP  PIC  S9(4).
           02  LOWEDF    PICTURE X.
           02  FILLER REDEFINES LOWEDF.
             03 LOWEDA    PICTURE X.
           02  LOWEDI  PIC X(9).
           02  LMSGL    COMP  PIC  S9(4).
           02  LMSGF    PICTURE X.
           02  FILLER REDEFINES LMSGF.
             03 LMSGA    PICTURE X.
           02  LMSGI  PIC X(50).
       01  LIBLOANO REDEFINES LIBLOANI.
           02  FILLER PIC X(12).
           02  FILLER PICTURE X(3).
           02  LMEMBRO  PIC X(8).
           02  FILLER PICTURE X(3).
           02  LBOOKO  PIC X(10).
           02  FILLER PICTURE X(3).
           02  LNAMEO  PIC X(30).
           02  FILLER PICTURE X(3).
           02  LTITLEO  PIC X(50).
           02  FILLER PICTURE X(3).
           02  LDUEO  PIC X(8).
           02  FILLER PICTURE X(3).
           02  LOWEDO  PIC X(9).
           02  FILLER PICTURE X(3).
           02  LMSGO  PIC X(50).
       01  LIBRETNI.
           02  FILLER PIC X(12).
           02  RBOOKL    COMP  PIC  S9(4).
           02  RBOOKF    PICTURE X.
           02  FILLER REDEFINES RBOOKF.
             03 RBOOKA    PICTURE X.
           02  RBOOKI  PIC X(10).
           02  RMEMBRL    COMP  PIC  S9(4).
           02  RMEMBRF    PICTURE X.
           02  FILLER REDEFINES RMEMBRF.
             03 RMEMBRA    PICTURE X.
           02  RMEMBRI  PIC X(8).
           02  RDUEL    COMP  PIC  S9(4).
           02  RDUEF    PICTURE X.
           02  FILLER REDEFINES RDUEF.
             03 RDUEA    PICTURE X.
           02  RDUEI  PIC X(8).
           02  RLATEL    COMP  PIC  S9(4).
           02  RLATEF    PICTURE X.
           02  FILLER REDEFINES RLATEF.
             03 RLATEA    PICTURE X.
           02  RLATEI  PIC X(5).
           02  RMSGL    COMP  PIC  S9(4).
           02  RMSGF    PICTURE X.
           02  FILLER REDEFINES RMSGF.
             03 RMSGA    PICTURE X.
           02  RMSGI  PIC X(50).
       01  LIBRETNO REDEFINES LIBRETNI.
           02  FILLER PIC X(12).
           02  FILLER PICTURE X(3).
           02  RBOOKO  PIC X(10).
           02  FILLER PICTURE X(3).
           02  RMEMBRO  PIC X(8).
           02  FILLER PICTURE X(3).
           02  RDUEO  PIC X(8).
           02  FILLER PICTURE X(3).
           02  RLATEO  PIC X(5).
           02  FILLER PICTURE X(3).
           02  RMSGO  PIC X(50).
